// What a reader would stumble over, as a list of sentences.
(() => {
  const found = [];
  const name = e => `<${e.localName} class="${e.getAttribute("class") || ""}"> "${(e.textContent || "").trim().slice(0, 60)}"`;
  const shown = e => e.checkVisibility && e.checkVisibility() && !e.closest(".symbols, thead");
  const width = document.documentElement.clientWidth;

  if (document.documentElement.scrollWidth > width) {
    found.push(`the page is ${document.documentElement.scrollWidth} wide, wider than the window (${width})`);
  }
  for (const e of document.body.querySelectorAll("*")) {
    if (!shown(e) || e.closest("svg") && e.localName !== "svg") continue;
    const r = e.getBoundingClientRect();
    if (r.right > width + 0.5 || r.left < -0.5) found.push(`${name(e)} is wider than the window: ${r.left} to ${r.right}`);
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && e.localName !== "svg") found.push(`${name(e)} is cut: ${e.scrollWidth} in ${e.clientWidth}`);
  }
  for (const e of document.querySelectorAll("script, img, iframe, object, embed, form, link[rel=stylesheet], [style]")) {
    if (!e.closest("[data-spoilt]")) found.push(`there is a <${e.localName}>`);
  }

  // No two texts stand on each other, in drawings and elsewhere. Each line of each text counts for itself.
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !shown(e) || e.closest("title")) continue;
    const range = document.createRange();
    range.selectNodeContents(n);
    for (const r of range.getClientRects()) {
      if (r.width > 0.5 && r.height > 0.5) boxes.push({n, e, r});
    }
    const svg = e.closest("svg");
    if (svg) {
      const r = e.getBoundingClientRect(), all = svg.getBoundingClientRect();
      if (r.left < all.left - 0.5 || r.right > all.right + 0.5 || r.top < all.top - 0.5 || r.bottom > all.bottom + 0.5) found.push(`${name(e)} leaves its drawing`);
      const size = parseFloat(getComputedStyle(e).fontSize) * all.width / svg.viewBox.baseVal.width;
      if (size < 8.9) found.push(`${name(e)} is too small to read: ${size} px`);
    }
  }
  boxes.sort((a, b) => a.r.top - b.r.top);
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length && boxes[j].r.top < boxes[i].r.bottom - 1; j++) {
      const a = boxes[i], b = boxes[j];
      if (a.n === b.n || a.e.closest("svg") !== b.e.closest("svg")) continue;
      // Lines of one paragraph touch each other where their fonts differ; a glyph is smaller than its box.
      const high = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
      const wide = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
      if (wide > 1 && high > 4) found.push(`${name(a.e)} overlaps ${name(b.e)}`);
    }
  }
  return found.slice(0, 20);
})()
