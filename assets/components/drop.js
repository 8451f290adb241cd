// Files go to PUT /upload one after another, straight from the disk; the page hears of them when all have arrived.
const zones = new WeakMap();

function build(root) {
  const box = document.createElement('label');
  box.className = 'drop';
  box.innerHTML = '<b></b><span></span><input type="file" multiple><progress max="1" value="0" hidden></progress><em hidden></em>';
  root.append(box);
  const zone = { box, input: box.querySelector('input'), bar: box.querySelector('progress'), words: box.querySelector('em') };
  zone.input.addEventListener('change', () => send(zone, [...zone.input.files]));
  for (const [happening, over] of [['dragenter', true], ['dragover', true], ['dragleave', false], ['drop', false]]) {
    box.addEventListener(happening, () => box.classList.toggle('over', over));
  }
  return zone;
}

function put(file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `/upload/${encodeURIComponent(file.name)}`);
    request.responseType = 'json';
    request.upload.onprogress = event => onProgress(event.loaded);
    request.onload = () => (request.status === 200 ? resolve(request.response.token) : reject(request.response?.error || `Refused (${request.status}).`));
    request.onerror = () => reject('The connection was lost.');
    request.send(file);
  });
}

async function send(zone, files) {
  if (!files.length) return;
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  zone.words.hidden = true;
  zone.bar.hidden = false;
  zone.input.disabled = true;
  try {
    const taken = [];
    let before = 0;
    for (const file of files) {
      const token = await put(file, loaded => { zone.bar.value = (before + loaded) / total; });
      before += file.size;
      taken.push({ token, name: file.name });
    }
    zone.tell(taken);
  } catch (reason) {
    zone.words.textContent = reason;
    zone.words.hidden = false;
  }
  zone.bar.hidden = true;
  zone.input.disabled = false;
  zone.input.value = '';
}

export default function ({ data, parentElement: root, setTriggerValue }) {
  let zone = zones.get(root);
  if (!zone) zones.set(root, zone = build(root));
  zone.box.querySelector('b').textContent = data.title;
  zone.box.querySelector('span').textContent = data.words;
  zone.input.setAttribute('aria-label', `${data.title}: choose files`);
  zone.input.accept = data.endings.join(',');
  zone.tell = files => setTriggerValue('files', files);
  return () => { zone.box.remove(); zones.delete(root); };
}
