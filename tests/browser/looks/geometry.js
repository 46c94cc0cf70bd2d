// What tests ask a page about its geometry. Each function is evaluated in the page by tests/browser/looks/geometry.py.

// Gives sentences about what is wrong; nothing where all is well.
const measures = () => {
  const SLACK = 1.5;   // hairlines and rounding
  const found = [];
  const say = (what, one, other) => found.push(other ? `${what}: ${name(one)} | ${name(other)}` : `${what}: ${name(one)}`);
  const name = item => {
    const element = item.element, rect = item.rect;
    const words = (item.text || element.getAttribute("aria-label") || element.innerText || "").trim().slice(0, 40);
    const kind = element.tagName.toLowerCase() + (element.getAttribute("class") ? "." + element.getAttribute("class").split(" ").slice(0, 2).join(".") : "");
    return `${kind} "${words}" [${[rect.left, rect.top, rect.right, rect.bottom].map(Math.round)}]`;
  };
  if (document.scrollingElement.scrollWidth > innerWidth)
    for (const each of document.querySelectorAll("body *"))
      if (each.getBoundingClientRect().right > innerWidth + 1 && !inScroll(each)) say("wider than the window", { element: each, rect: each.getBoundingClientRect() });
  if (document.scrollingElement.scrollWidth > innerWidth) found.push(`the page scrolls sideways: ${document.scrollingElement.scrollWidth}`);

  function inScroll(element) {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== "visible") return true;
    return false;
  }
  const styles = new Map();
  const style = element => styles.get(element) ?? (styles.set(element, getComputedStyle(element)), styles.get(element));
  const meet = (a, b) => ({ left: Math.max(a.left, b.left), top: Math.max(a.top, b.top), right: Math.min(a.right, b.right), bottom: Math.min(a.bottom, b.bottom) });
  const some = rect => rect.right - rect.left > 0.5 && rect.bottom - rect.top > 0.5;
  const cross = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > SLACK && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > SLACK;

  // A dialog or a menu is looked at alone: it is meant to lie over the page.
  const floats = [...document.querySelectorAll('[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]')];
  const root = floats.length ? floats.at(-1) : document.body;

  // What moves on its own over the page (bars of the phone, heads of tables) is a layer; layers are looked at one by one.
  const layers = new Map();
  const layer = element => {
    if (element === root || element === document.body || !element) return root;
    if (layers.has(element)) return layers.get(element);
    const position = style(element).position;
    const own = position === "fixed" || position === "sticky" ? element : layer(element.parentElement);
    layers.set(element, own);
    return own;
  };
  // What of a rectangle is seen through the boxes around it that cut; and whether one of them cuts without a way to scroll.
  const seen = (element, rect) => {
    let cut = false, position = style(element).position;
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
      if (element.ownerSVGElement || element.tagName === "svg") if (up.closest("svg") && up.tagName !== "svg") continue;
      const own = style(up);
      if (own.overflowX === "visible" && own.overflowY === "visible") continue;
      const box = up.getBoundingClientRect(), less = meet(rect, box);
      const inside = some(less);
      const shorter = less.right < rect.right - SLACK || less.left > rect.left + SLACK;
      const lower = less.bottom < rect.bottom - SLACK || less.top > rect.top + SLACK;
      const scrolls = /auto|scroll/.test(own.overflowX + own.overflowY);
      if (inside && !scrolls && ((shorter && own.textOverflow !== "ellipsis") || lower)) cut = up;
      rect = less;
      if (!inside) return { rect, cut: false, hidden: true };
    }
    return { rect, cut, hidden: !some(rect) };
  };
  const shown = element => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !element.closest(".unseen, .skip, [aria-hidden=true].decoy");

  // What is fixed makes no page wider, and is cut by the window all the same.
  const outside = rect => rect.right > innerWidth + SLACK || rect.left < -SLACK;

  const texts = [], controls = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || /^(script|style|noscript|option|title)$/i.test(element.tagName) || !shown(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const whole of range.getClientRects()) {
      if (!some(whole)) continue;
      // A line's box is taller than its letters: what counts is the letters.
      const less = (whole.bottom - whole.top) * 0.15;
      const letters = { left: whole.left, right: whole.right, top: whole.top + less, bottom: whole.bottom - less };
      const { rect, cut, hidden } = seen(element, letters);
      if (hidden) continue;
      const item = { element, rect, text: node.data, layer: layer(element) };
      if (outside(rect)) say("outside the window", item);
      if (cut && !element.closest("textarea, .js-plotly-plot")) say(`cut by ${cut.tagName.toLowerCase()}.${cut.getAttribute("class")}`, item);
      const panel = element.closest(".panel, .banner, .bare-panel");
      if (panel && root.contains(panel)) {
        const box = panel.getBoundingClientRect();
        if (rect.left < box.left - SLACK || rect.right > box.right + SLACK || rect.top < box.top - SLACK || rect.bottom > box.bottom + SLACK) say("sticks out of its panel", item);
      }
      texts.push(item);
    }
  }
  for (const element of root.querySelectorAll("a[href], button, input, select, textarea, summary, [role=switch]")) {
    if (!shown(element)) continue;
    for (const whole of element.getClientRects()) {
      const { rect, hidden } = seen(element, whole);
      if (hidden) continue;
      const item = { element, rect, layer: layer(element) };
      if (outside(rect)) say("outside the window", item);
      controls.push(item);
    }
  }
  const related = (a, b) => a === b || a.contains(b) || b.contains(a);
  const sorted = list => list.sort((a, b) => a.rect.top - b.rect.top);
  const pairs = (these, those, what) => {
    const all = [...new Set([...these, ...those])];
    sorted(all);
    const right = new Set(those), left = new Set(these);
    for (let i = 0; i < all.length; i++)
      for (let j = i + 1; j < all.length && all[j].rect.top < all[i].rect.bottom; j++) {
        const a = all[i], b = all[j];
        if (!((left.has(a) && right.has(b)) || (left.has(b) && right.has(a)))) continue;
        if (a.layer !== b.layer || !cross(a.rect, b.rect)) continue;
        if (these === those ? a.element === b.element : related(a.element, b.element)) continue;
        if (what === "controls" && related(a.element, b.element)) continue;
        say(what + " over each other", a, b);
      }
  };
  pairs(texts, texts, "words");
  pairs(controls, controls, "controls");
  const free = texts.filter(each => !each.element.closest("a[href], button, label, summary, select"));
  pairs(controls.filter(each => !each.element.closest("label")), free, "words and controls");

  // Drawings stay in their place: nothing of the page lies in it, and its own words stay inside and off its bars.
  for (const drawing of root.querySelectorAll(".plot")) {
    const box = drawing.getBoundingClientRect(), picture = drawing.querySelector(".main-svg");
    if (!picture || !some(box) || !shown(drawing)) continue;
    const item = { element: drawing, rect: box };
    const real = picture.getBoundingClientRect();
    if (Math.abs(real.width - box.width) > 2 || Math.abs(real.height - box.height) > 2) say("a drawing of another size than its place", { element: drawing, rect: real }, item);
    for (const text of texts) if (!drawing.contains(text.element) && text.layer === root && layer(drawing) === root && cross(real, text.rect)) say("a drawing over words", item, text);
    const labels = [...drawing.querySelectorAll("svg text")].filter(each => each.textContent.trim() && shown(each) && !each.closest(".hoverlayer"))
      .map(element => ({ element, rect: element.getBoundingClientRect() })).filter(each => some(each.rect));
    for (const label of labels) {
      const rect = label.rect;
      if (rect.left < real.left - 1 || rect.right > real.right + 1 || rect.top < real.top - 1 || rect.bottom > real.bottom + 1) say("a label cut by its drawing", label);
    }
    const marks = [...drawing.querySelectorAll(".barlayer .point path")].filter(each => some(each.getBoundingClientRect())).map(element => ({ element, rect: element.getBoundingClientRect() }));
    const notes = labels.filter(each => each.element.closest(".annotation"));
    for (const note of notes) {
      const inner = { left: note.rect.left, right: note.rect.right, top: note.rect.top + 2, bottom: note.rect.bottom - 3 };
      for (const mark of marks) if (cross(inner, mark.rect) && !note.element.closest(".annotation").dataset.inside && !drawing.dataset.tinted) say("a label over a bar", { ...note }, mark);
      for (const line of drawing.querySelectorAll(".shapelayer path")) {
        const rect = line.getBoundingClientRect();
        if (rect.width < 3 && rect.left > note.rect.left + 1 && rect.right < note.rect.right - 1 && rect.top < inner.bottom && rect.bottom > inner.top) say("a label over an upright line", note, { element: line, rect });
      }
    }
  }
  // Panels keep apart.
  const panels = [...root.querySelectorAll(".panel, .banner")].filter(shown).map(element => ({ element, rect: element.getBoundingClientRect(), layer: layer(element) })).filter(each => some(each.rect));
  pairs(panels, panels, "controls");
  return [...new Set(found)];
};

// Gives every link and button that something else covers at its middle.
const hits = () => {
  const missed = [];
  const floats = [...document.querySelectorAll('[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]')];
  const root = floats.length ? floats.at(-1) : document.body;
  for (const element of root.querySelectorAll("a[href], button, input, select, textarea, summary, [role=switch], [role=menuitem], [role=option]")) {
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || element.closest(".unseen, .skip, [inert]") || element.type === "hidden") continue;
    if (element.getAttribute("aria-hidden") === "true" && element.tabIndex < 0) continue;   // Radix's own copy of a select for forms
    element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const rect = [...element.getClientRects()].find(each => each.width > 0.5 && each.height > 0.5);
    if (!rect) continue;
    const x = rect.left + rect.width / 2, y = rect.top + rect.height / 2;
    const hit = document.elementFromPoint(x, y);
    const label = element.closest("label");
    if (hit && (element.contains(hit) || (label && label.contains(hit)) || (element.labels && [...element.labels].some(each => each.contains(hit))))) continue;
    const words = each => each ? `${each.tagName.toLowerCase()}.${each.getAttribute("class") ?? ""} "${(each.getAttribute("aria-label") || each.innerText || "").trim().slice(0, 40)}"` : "nothing";
    missed.push(`${words(element)} at ${Math.round(x)},${Math.round(y)} is under ${words(hit)}`);
  }
  for (const each of root.querySelectorAll("*")) if (each.scrollLeft) each.scrollLeft = 0;
  scrollTo({ top: 0, behavior: "instant" });
  return missed;
};

// Waits until drawings have taken the size of their place; not for ever, because one that never does is a finding.
const settled = () => new Promise(done => {
  const fits = () => [...document.querySelectorAll(".plot")].every(plot => {
    const box = plot.getBoundingClientRect(), picture = plot.querySelector(".main-svg");
    if (!box.width) return true;
    const real = picture?.getBoundingClientRect();
    return real && Math.abs(real.width - box.width) < 2 && Math.abs(real.height - box.height) < 2;
  });
  // A tab that nobody sees is never drawn: then a moment has to do, instead of waiting for ever.
  const drawn = next => { const once = () => { const go = next; next = () => {}; go(); }; requestAnimationFrame(once); setTimeout(once, 250); };
  const start = performance.now();
  const look = () => (fits() || performance.now() - start > 1500) ? drawn(() => drawn(() => done(true))) : setTimeout(look, 30);
  drawn(look);
});

// All of it, once drawings have settled: one question a width.
const looked = async () => {
  await settled();
  return [...measures(), ...hits()];
};
