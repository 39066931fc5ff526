const selectors = [".ad", ".sponsored"];
for (const node of document.querySelectorAll(selectors.join(","))) node.remove();

new MutationObserver(() => {
  for (const node of document.querySelectorAll(selectors.join(","))) node.style.display = "none";
}).observe(document.documentElement, {childList: true, subtree: true});
