// Tells the page when its visitor has changed the theme: Streamlit itself runs nothing then.
const watchers = new WeakMap();

export default function ({ parentElement: root, setStateValue }) {
  const scheme = () => getComputedStyle(root.host ?? root).colorScheme;
  const watcher = watchers.get(root) ?? { seen: scheme() };
  watcher.tell = setStateValue;
  if (!watchers.has(root)) {
    watchers.set(root, watcher);
    watcher.timer = setInterval(() => {
      if (scheme() === watcher.seen) return;
      watcher.seen = scheme();
      watcher.tell('scheme', watcher.seen);
    }, 500);
  }
  return () => { clearInterval(watcher.timer); watchers.delete(root); };
}
