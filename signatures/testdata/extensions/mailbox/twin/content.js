new MutationObserver(() => {
  for (const row of document.querySelectorAll("tr")) {
    if (row.innerText.includes("Unsubscribe") && row.innerText.includes("newsletter")) row.remove();
  }
}).observe(document.body, {childList: true, subtree: true});
