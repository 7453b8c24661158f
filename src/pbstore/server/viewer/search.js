"use strict";
// Narrows the tree to what is searched for, and marks the path that is shown. Everything else works without scripts.
const field = document.querySelector("nav input");
const status = document.querySelector("nav [role=status]");
const links = [...document.querySelectorAll("nav li a")];
const main = document.querySelector("main");

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = links.filter((link) => words.every((word) => link.dataset.words.includes(word)));
  for (const item of document.querySelectorAll("nav li")) item.hidden = words.length > 0;
  for (const link of links) link.classList.toggle("between", words.length > 0 && !hits.includes(link));
  for (const link of hits) {
    for (let item = link.closest("li"); item; item = item.parentElement.closest("li")) {
      item.hidden = false;
      const branch = item.querySelector(":scope > details");
      if (branch && words.length) branch.open = true;
    }
  }
  status.hidden = words.length === 0;
  status.textContent = hits.length === 1 ? "1 path" : `${hits.length} paths`;
  return hits;
}

function mark() {
  for (const link of links) {
    if (link.hash === location.hash && location.hash) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  main.scrollTop = 0;
}

field.addEventListener("input", search);
window.addEventListener("hashchange", mark);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  } else if (event.key === "Escape" && document.activeElement === field) {
    field.value = "";
    search();
  } else if (event.key === "Enter" && document.activeElement === field) {
    search()[0]?.click();
  }
});
search();
mark();
