// A chart in its place: as large as the box it stands in, and with no word over another, over a bar or past its edge.
// Plotly is told neither: it follows the window only, and draws every word where it was put, at any width.

import { createElement } from "react";

const GAP = 4; // between words, in pixels
const FAR = 20; // further than this from where they were put, words name something else
const CROSSED = 2 * FAR; // a line through words is worse than any move, and better than no words

const box = (element) => {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return { left, right, top, bottom };
};
const meets = (one, other, gap = 0) =>
  one.left < other.right + gap && other.left < one.right + gap && one.top < other.bottom && other.top < one.bottom;
const inside = (one, edges) =>
  one.left >= edges.left && one.right <= edges.right && one.top >= edges.top && one.bottom <= edges.bottom;

/** The straight pieces of drawn lines, and the lines of the ground. */
function linesOf(graph) {
  const pieces = [...graph.querySelectorAll(".scatterlayer .js-line")].flatMap((line) => {
    const matrix = line.getScreenCTM();
    return (line.getAttribute("d") ?? "").split("M").flatMap((run) => {
      const points = [...run.matchAll(/(-?[\d.]+)[ ,](-?[\d.]+)/g)].map(([, x, y]) => new DOMPoint(x, y).matrixTransform(matrix));
      return points.slice(1).map((end, place) => ({
        left: Math.min(points[place].x, end.x) - 0.5,
        right: Math.max(points[place].x, end.x) + 0.5,
        top: Math.min(points[place].y, end.y) - 0.5,
        bottom: Math.max(points[place].y, end.y) + 0.5,
      }));
    });
  });
  const ground = [...graph.querySelectorAll(".gridlayer path, .zerolinelayer path")].map((each) => box(each));
  return [...pieces, ...ground].filter((each) => Math.min(each.right - each.left, each.bottom - each.top) < 3);
}

/** Names so many places of the horizontal axis as fit, evenly, counted from its end. */
function nameTicks(graph, edges) {
  const names = [...graph.querySelectorAll(".xtick text")].filter((each) => each.textContent.trim());
  for (const name of names) name.style.visibility = name.style.translate = "";
  const boxes = names.map((each) => box(each));
  const shown = (step) => boxes.filter((_, place) => (names.length - 1 - place) % step === 0);
  const fits = (some) => some.every((one, place) => !place || !meets(some[place - 1], one, 2 * GAP));
  let step = 1;
  while (step < names.length && !fits(shown(step))) step += 1;
  names.forEach((name, place) => {
    const over = Math.max(0, boxes[place].right - edges.right) - Math.max(0, edges.left - boxes[place].left);
    if ((names.length - 1 - place) % step) name.style.visibility = "hidden";
    else if (over) name.style.translate = `${-over}px 0`;
  });
}

/** Moves words off what they would cover, as little as possible, the first named first, and off lines where they can;
 *  what has no place is left out: every figure is in the hover and in the table, too. */
function placeNotes(graph, edges) {
  const notes = [...graph.querySelectorAll(".annotation")].sort((a, b) => a.dataset.index - b.dataset.index);
  for (const note of notes) note.style.visibility = note.style.translate = "";
  const marks = ".barlayer .point path, .scatterlayer .point, .shapelayer path, .xtick text, .ytick text";
  const taken = [...graph.querySelectorAll(marks)]
    .filter((each) => getComputedStyle(each).opacity !== "0" && getComputedStyle(each).visibility !== "hidden")
    .map((each) => box(each))
    .filter((each) => each.right - each.left < 3 ? each.bottom - each.top > 8 : each.bottom - each.top > 3)
    .filter((each) => !(each.bottom - each.top > (edges.bottom - edges.top) * 0.7 && each.right - each.left > 12));
  const lines = linesOf(graph);
  for (const note of notes) {
    const words = note.querySelector("text");
    if (!words) continue;
    const put = box(words);
    const place = (dx, dy) => ({ left: put.left + dx, right: put.right + dx, top: put.top + dy + 1, bottom: put.bottom + dy - 2 });
    const crossed = ([dx, dy]) => lines.some((line) => meets(place(dx, dy), line));
    const cost = (move) => Math.hypot(...move) + (crossed(move) ? CROSSED : 0);
    const start = place(0, 0);
    const sideways = [0];
    const upwards = [0, Math.max(0, edges.top - start.top)];
    for (const other of [...taken, { left: edges.right, right: edges.left }]) {
      // A line may be stepped over to its other side; from anything else words move a little only.
      const far = other.right - other.left < 3 ? start.right - start.left + 3 * GAP : FAR;
      const steps = [other.left - GAP - start.right, other.right + GAP - start.left];
      sideways.push(...steps.filter((step) => Math.abs(step) <= far));
      if (other.top !== undefined) upwards.push(other.top - 1 - start.bottom);
    }
    for (const line of lines) {
      upwards.push(line.top - 1 - start.bottom, line.bottom + 1 - start.top);
      if (line.right - line.left < 3) sideways.push(...[line.left - GAP - start.right, line.right + GAP - start.left].filter((step) => Math.abs(step) <= FAR));
    }
    const moves = [...new Set(sideways)]
      .flatMap((dx) => [...new Set(upwards)].filter((dy) => Math.abs(dy) <= FAR).map((dy) => [dx, dy]))
      .map((move) => [cost(move), move])
      .sort(([one], [other]) => one - other)
      .map(([, move]) => move);
    const free = moves.find(([dx, dy]) => {
      const at = place(dx, dy);
      return inside(at, edges) && !taken.some((other) => meets(at, other));
    });
    if (!free) {
      note.style.visibility = "hidden";
      continue;
    }
    const at = place(...free);
    taken.push({ ...at, left: at.left - GAP, right: at.right + GAP });
    note.style.translate = `${free[0]}px ${free[1]}px`;
  }
}

function tidy(graph) {
  const picture = graph.querySelector(".main-svg");
  if (!picture || !graph.clientWidth) return;
  const { left, right, top, bottom } = picture.getBoundingClientRect();
  const edges = { left: left + 1, right: right - 1, top, bottom };
  nameTicks(graph, edges);
  placeNotes(graph, edges);
}

/** The chart component that keeps to its place. */
export function inItsPlace(Plot, Plotly) {
  const keep = (graph) => {
    graph.on("plotly_afterplot", () => tidy(graph));
    tidy(graph);
    const follow = () => {
      const { width, height } = graph._fullLayout ?? {};
      const changed = Math.abs(width - graph.clientWidth) > 1 || Math.abs(height - graph.clientHeight) > 1;
      if (changed && graph.clientWidth && graph.clientHeight) Plotly.Plots.resize(graph);
    };
    new ResizeObserver(follow).observe(graph);
  };
  return (props) => createElement(Plot, { ...props, onInitialized: (_, graph) => keep(graph) });
}
