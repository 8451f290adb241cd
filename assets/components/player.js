// A video that shows the page's moment, and tells the page which second it plays.
const players = new WeakMap();

const clock = s => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, '0')}`;

function build(root) {
  const box = document.createElement('div');
  box.className = 'player';
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, preload: 'auto' });
  const still = Object.assign(document.createElement('img'), { alt: '' });
  const button = Object.assign(document.createElement('button'), { type: 'button' });
  box.append(video, still, button);
  root.append(box);
  const player = { box, video, still, button, second: null, data: null };
  const toggle = () => { if (player.data.film) { video.paused ? video.play() : video.pause(); } };
  button.addEventListener('click', toggle);
  video.addEventListener('click', toggle);
  for (const happening of ['play', 'pause', 'ended', 'seeked']) video.addEventListener(happening, () => label(player));
  video.addEventListener('timeupdate', () => {
    label(player);
    const second = Math.floor(video.currentTime);
    if (video.paused || second === player.second) return;
    player.second = second;
    player.tell(second);
  });
  return player;
}

function label({ video, button, data }) {
  const moment = data.film && !video.paused ? video.currentTime : data.time_s;
  const sign = !data.film ? '' : video.paused ? '▶ ' : '❚❚ ';
  button.textContent = `${sign}${clock(moment)} / ${clock(data.duration_s)}`;
  button.setAttribute('aria-label', video.paused ? 'Play the video' : 'Pause the video');
  button.disabled = !data.film;
}

function show(player, data) {
  const { video, still } = player;
  const film = data.film !== player.data?.film, moved = film || data.time_s !== player.data?.time_s;
  player.data = data;
  video.hidden = !data.film;
  still.hidden = !!data.film;
  if (!data.film) {
    video.removeAttribute('src');
    if (moved) still.src = data.still;
  } else {
    if (film) { video.poster = data.still; video.src = data.film; }
    const far = Math.abs(video.currentTime - data.time_s) > (video.paused ? 0.02 : 1.8);  // a playing video leads the page
    if (moved && far) { player.second = Math.floor(data.time_s); video.currentTime = data.time_s; }
  }
  label(player);
}

export default function ({ data, parentElement: root, setStateValue }) {
  let player = players.get(root);
  if (!player) players.set(root, player = build(root));
  player.tell = second => setStateValue('second', second);
  show(player, data);
  return () => { player.video.pause(); player.box.remove(); players.delete(root); };
}
