// What folium cannot draw: labels that never lie on each other, and a panel that never lies on a label.
// Jinja reads this file once more when a map is rendered: no doubled braces, no brace before % or #.

// Rectangles [south, west, north, east, text on hover, fill opacity, text inside] in one group, in one style.
function gamaBoxes(group, style, rows) {
  for (const [south, west, north, east, hover, fillOpacity, inside] of rows) {
    const box = L.rectangle([[south, west], [north, east]], { ...style, fillOpacity: fillOpacity || 0 }).addTo(group);
    if (hover) box.bindTooltip(hover, { sticky: true, className: 'gama-tip' });
    if (!inside) continue;
    const icon = L.divIcon({ className: 'gama-rank', iconSize: null, html: `<span>${inside}</span>` });
    L.marker([south, west], { icon, interactive: false, keyboard: false }).addTo(group);
  }
  if (group instanceof L.FeatureGroup) group.on('add', () => group.invoke('bringToBack'));
}

// A cloth over the whole world with boxes cut out of it; it reaches far beyond the edge while a person drags.
function gamaVeil(map, boxes, color, opacity) {
  const pane = map.createPane('veil');
  pane.style.zIndex = 350;
  pane.style.pointerEvents = 'none';
  const world = [[-85, -720], [-85, 720], [85, 720], [85, -720]];
  const holes = boxes.map(([south, west, north, east]) => [[south, west], [south, east], [north, east], [north, west]]);
  L.polygon([world, ...holes], {
    pane: 'veil', renderer: L.svg({ pane: 'veil', padding: 1 }), interactive: false,
    stroke: false, fillColor: color, fillOpacity: opacity,
  }).addTo(map);
}

// Pictures [url, south, west, north, east] that the page itself carries.
function gamaImages(map, attribution, rows) {
  for (const [url, south, west, north, east] of rows) {
    L.imageOverlay(url, [[south, west], [north, east]], { attribution, pane: 'tilePane' }).addTo(map);
  }
}

// Street lines [[lat, lon], ...], asked for when the layer is first seen: they may be many.
function gamaStreets(map, group, url) {
  const pane = map.createPane('streets');
  pane.style.zIndex = 370;
  pane.style.pointerEvents = 'none';
  const draw = async () => {
    const lines = await (await fetch(url)).json();
    L.polyline(lines, {
      pane: 'streets', renderer: L.canvas({ pane: 'streets', padding: 0.3 }), interactive: false,
      color: '#ffd54a', weight: 1.6, opacity: 0.85,
    }).addTo(group);
  };
  if (map.hasLayer(group)) draw();
  else group.once('add', draw);
}

// What a map is about, on a map that stands alone.
function gamaCaption(map, html) {
  const caption = L.control({ position: 'bottomleft' });
  caption.onAdd = () => {
    const box = L.DomUtil.create('div', 'gama-caption');
    box.innerHTML = html;
    return box;
  };
  caption.addTo(map);
}

// Tiles half a pixel too large leave no seam between two zooms.
function gamaSeamless(layer) {
  layer.on('tileloadstart', ({ tile }) => {
    for (const side of ['width', 'height']) tile.style[side] = `calc(${tile.style[side]} + 0.6px)`;
  });
}

// The continents, below everything: where on Earth one is, without a tile from anywhere.
function gamaLand(map, rings) {
  map.createPane('land').style.zIndex = 150;
  L.polygon(rings.map(ring => [ring]), { pane: 'land', interactive: false, className: 'gama-land' }).addTo(map);
}

// groups: [feature group, kind, title, rows of [lat, lon, [clip, score, metres from the truth or null]...]]
// lines: polylines that labels should not hide; tags: [lat, lon, html, class, bounds to show on a click or null]
function gamaDraw(map, panel, home, groups, lines, tags) {
  const NEAR_PX = [17, 24, 34, 48, 68], CROWDED = 0.13, LONGEST = 24, HEIGHT_PX = 17, GAP_PX = 3, DOT_PX = 4;
  const RINGS = [15, 24, 34, 46, 60, 76, 94, 114, 136, 160, 190, 225, 265, 310];
  const root = map.getContainer();
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = '700 11px system-ui, sans-serif';
  let moved = false, opened = false;

  const numbers = clips => {
    const runs = [];
    for (const clip of [...clips].sort((a, b) => a - b)) {
      const run = runs[runs.length - 1];
      if (run && clip === run[1] + 1) run[1] = clip;
      else runs.push([clip, clip]);
    }
    const parts = runs.map(([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a}, ${b}` : `${a}-${b}`));
    const last = parts.pop();
    return parts.length ? `${parts.join(', ')} & ${last}` : last;
  };
  const short = text => {
    if (text.length <= LONGEST) return text;
    const cut = text.slice(0, LONGEST - 4);
    return `${cut.slice(0, cut.lastIndexOf(','))} …`;
  };
  const distance = metres => (metres < 1000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`);
  const story = (title, clips) => {
    const lines = clips.slice(0, 8).map(([clip, score, error]) =>
      `clip ${clip} · similarity ${score.toFixed(2)}${error === null ? '' : ` · ${distance(error)} off`}`);
    return `<b>${title}</b><br>${lines.join('<br>')}${clips.length > 8 ? `<br>and ${clips.length - 8} more` : ''}`;
  };

  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const holds = (box, point, by) =>
    point.x > box.left - by && point.x < box.right + by && point.y > box.top - by && point.y < box.bottom + by;
  const boxAt = (x, y, width, height) =>
    ({ left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2, x, y });

  // Spots of one kind that lie near each other at this zoom share a label.
  const cluster = (rows, nearPx) => {
    const found = [];
    for (const [lat, lon, ...clips] of rows) {
      const point = map.latLngToLayerPoint([lat, lon]);
      const near = found.find(other => other.points[0].distanceTo(point) < nearPx);
      if (near) { near.points.push(point); near.clips.push(...clips); }
      else found.push({ points: [point], clips });
    }
    for (const label of found) {
      label.at = label.points.reduce((a, b) => a.add(b)).divideBy(label.points.length);
      label.clips.sort((a, b) => a[0] - b[0]);
      label.text = short(numbers(label.clips.map(clip => clip[0])));
      label.width = Math.ceil(pen.measureText(label.text).width) + 12;
    }
    return found.sort((a, b) => b.width - a.width);
  };

  const onSheet = element => {
    const [outer, inner] = [root.getBoundingClientRect(), element.getBoundingClientRect()];
    const corner = map.containerPointToLayerPoint([inner.left - outer.left, inner.top - outer.top]);
    return { left: corner.x, top: corner.y, right: corner.x + inner.width, bottom: corner.y + inner.height };
  };
  const controls = () => [...root.querySelectorAll('.leaflet-control')].map(onSheet);

  const alongLines = () => lines.filter(line => map.hasLayer(line)).flatMap(line => {
    const parts = line.getLatLngs();
    return (Array.isArray(parts[0]) ? parts : [parts]).flatMap(part => {
      const points = part.map(at => map.latLngToLayerPoint(at));
      return points.slice(1).flatMap((to, i) => {
        const steps = Math.max(1, Math.round(points[i].distanceTo(to) / 8));
        return Array.from(Array(steps).keys(), step => points[i].add(to.subtract(points[i]).multiplyBy(step / steps)));
      });
    });
  });

  // The cheapest free place around a label's spot: near, in sight, off the lines, off other spots.
  const settle = (label, taken, onLines, dots) => {
    const size = map.getSize(), corner = map.containerPointToLayerPoint([0, 0]);
    const view = { left: corner.x, top: corner.y, right: corner.x + size.x, bottom: corner.y + size.y };
    const within = box => box.left > view.left && box.right < view.right && box.top > view.top && box.bottom < view.bottom;
    const walls = taken.filter(box => !holds(box, label.at, 0) || !box.control);
    let best = null;
    const attempt = (x, y, far) => {
      const box = boxAt(label.at.x + x, label.at.y + y, label.width, HEIGHT_PX);
      const roomy = { left: box.left - GAP_PX, right: box.right + GAP_PX, top: box.top - GAP_PX, bottom: box.bottom + GAP_PX };
      if (best && far >= best.cost) return;
      if (walls.some(wall => meet(wall, roomy))) return;
      const cost = far + 3 * onLines.filter(point => holds(box, point, 3)).length
        + 14 * dots.filter(dot => !label.points.includes(dot) && holds(box, dot, DOT_PX)).length
        + (holds(view, label.at, 0) && !within(box) ? 60 : 0);
      if (!best || cost < best.cost) best = { ...box, cost };
    };
    attempt(0, 0, 4);
    for (const ring of RINGS) {
      for (let turn = 0; turn < 16; turn++) {
        const angle = turn * Math.PI / 8;
        attempt(Math.cos(angle) * (ring + label.width / 2 - 8), Math.sin(angle) * ring, ring);
      }
    }
    return best || { ...boxAt(label.at.x, label.at.y, label.width, HEIGHT_PX), cost: 0 };
  };

  const write = (drawn, label, kind, title) => {
    const at = map.layerPointToLatLng(L.point(label.box.x, label.box.y));
    for (const point of label.points) {
      const edge = L.point(
        Math.max(label.box.left, Math.min(point.x, label.box.right)), Math.max(label.box.top, Math.min(point.y, label.box.bottom)));
      if (edge.distanceTo(point) < DOT_PX) continue;
      const ends = [map.layerPointToLatLng(point), map.layerPointToLatLng(edge)];
      L.polyline(ends, { className: 'gama-hair-case', interactive: false }).addTo(drawn);
      L.polyline(ends, { className: `gama-hair gama-${kind}`, interactive: false }).addTo(drawn);
    }
    const icon = L.divIcon({ className: `gama-label gama-${kind}`, iconSize: [label.width, HEIGHT_PX], html: label.text });
    L.marker(at, { icon, riseOnHover: true, keyboard: false }).addTo(drawn)
      .bindTooltip(story(title, label.clips), { className: 'gama-tip', direction: 'top', offset: [0, -8] });
  };

  const drawn = groups.map(([group, kind, , rows]) => {
    for (const [lat, lon] of rows) {
      L.circleMarker([lat, lon], { radius: 3, className: `gama-dot gama-${kind}`, interactive: false }).addTo(group);
    }
    return L.featureGroup().addTo(group);
  });
  const flags = tags.map(([lat, lon, html, kind, bounds]) => {
    const icon = L.divIcon({ className: `gama-tag gama-${kind}`, iconSize: null, html: `<span>${html}</span>` });
    const flag = L.marker([lat, lon], { icon, interactive: !!bounds, keyboard: !!bounds }).addTo(map);
    if (bounds) flag.on('click', () => map.flyToBounds(bounds, { duration: 0.8 }));
    return flag;
  });

  // The labels of each layer, merged the further the more crowded it would be.
  const gathered = () => {
    const size = map.getSize(), room = CROWDED * size.x * size.y;
    for (const nearPx of NEAR_PX) {
      const shown = groups.map(([group, kind, title, rows], i) =>
        ({ layer: drawn[i], kind, title, labels: map.hasLayer(group) ? cluster(rows, nearPx) : [] }));
      const inView = shown.flatMap(({ labels }) => labels).filter(label => map.getBounds().contains(map.layerPointToLatLng(label.at)));
      const area = inView.reduce((sum, label) => sum + label.width * HEIGHT_PX, 0);
      if (area < room || nearPx === NEAR_PX[NEAR_PX.length - 1]) return shown;
    }
  };

  const layout = () => {
    const ranks = [...root.querySelectorAll('.gama-rank span')].map(onSheet);
    const taken = [...controls().map(box => ({ ...box, control: true })), ...ranks];
    for (const flag of flags) {
      const span = flag.getElement().firstChild;
      span.style.marginTop = '0px';
      let box = onSheet(span);
      for (let up = 1; up < 9 && taken.some(other => !other.control && meet(other, box)); up++) {
        span.style.marginTop = `${-up * (span.offsetHeight + 3)}px`;
        box = onSheet(span);
      }
      taken.push(box);
    }
    drawn.forEach(layer => layer.clearLayers());
    const shown = gathered();
    const dots = shown.flatMap(({ labels }) => labels.flatMap(label => label.points));
    const onLines = alongLines();
    for (const { layer, kind, title, labels } of shown) {
      for (const label of labels) {
        label.box = settle(label, taken, onLines, dots);
        taken.push(label.box);
        write(layer, label, kind, title);
      }
    }
    fold();
  };

  // The panel stands open where it hides no prediction, else it folds itself; a person may open it all the same.
  const hidden = () => {
    const box = panel._container.getBoundingClientRect();
    return [...root.querySelectorAll('.gama-label, .gama-dot')].filter(element => meet(box, element.getBoundingClientRect())).length;
  };
  const fold = () => {
    if (!panel || opened) return;
    panel.expand();
    if (map.getSize().x < 520 || hidden()) panel.collapse();
  };
  const dock = () => {
    if (!panel || map.getSize().x < 520) return;
    panel.expand();
    const covers = corner => {
      panel.setPosition(corner);
      return [corner, hidden()];
    };
    const corners = ['topright', 'bottomright', 'bottomleft'].map(covers);
    panel.setPosition(corners.reduce((a, b) => (b[1] < a[1] ? b : a))[0]);
  };

  const fit = () => {
    const size = map.getSize(), rim = Math.round(0.035 * Math.min(size.x, size.y)), wide = panel && size.x >= 520;
    const caption = root.querySelector('.gama-caption'), spare = Math.max(0, size.x - size.y);
    const right = wide ? Math.min(spare, panel._container.offsetWidth + 16) : 0;
    const left = caption ? Math.min(spare - right, caption.offsetWidth + 16) : 0;
    const [sides, top] = panel ? [rim, rim + 4] : [Math.min(110, size.x / 6), 80];  // names of galleries are larger
    map.fitBounds(home, { animate: false, paddingTopLeft: [sides + left, top], paddingBottomRight: [sides + right, rim] });
  };

  map.attributionControl.setPrefix(false);
  if (panel) {
    const open = () => {
      opened = true;
      if (!panel._container.classList.contains('leaflet-control-layers-expanded')) panel._expandSafely();
    };
    const leave = () => {
      opened = false;
      fold();
    };
    root.addEventListener('mouseover', ({ target }) => {  // each corner gives the panel another container
      if (panel._container.contains(target)) open();
      else if (opened) leave();
    });
    root.addEventListener('mouseleave', leave);
    map.on('click', leave);
  }
  for (const gesture of ['pointerdown', 'wheel', 'keydown']) {
    root.addEventListener(gesture, () => { moved = true; }, { passive: true });
  }
  map.on('zoomend viewreset overlayadd overlayremove', layout);
  map.on('moveend', fold);
  const arrange = () => {
    if (moved) return;
    fit();
    layout();
    dock();
    layout();
  };
  map.on('resize', arrange);
  arrange();
  for (const sheet of document.querySelectorAll('link[rel=stylesheet]')) {
    if (!sheet.sheet) sheet.addEventListener('load', arrange);  // measured without it, nothing lies where it will
  }
}
