// Tells the page that its visitor has changed the theme; dialogs, which lie outside the app, learn it as well.
const watches = new WeakMap();

export default function ({ parentElement: root, setStateValue }) {
  if (watches.has(root)) return watches.get(root);
  const now = () => getComputedStyle(root.host ?? root).colorScheme;
  const tell = scheme => { document.documentElement.style.colorScheme = scheme; };
  let scheme = now();
  tell(scheme);
  const timer = setInterval(() => {
    if (now() === scheme) return;
    tell(scheme = now());
    setStateValue('scheme', scheme);
  }, 1000);
  const stop = () => { clearInterval(timer); watches.delete(root); };
  watches.set(root, stop);
  return stop;
}
