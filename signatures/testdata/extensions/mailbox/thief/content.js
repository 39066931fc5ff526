new MutationObserver(() => {
  for (const row of document.querySelectorAll("tr")) {
    if (row.innerText.includes("Binance") && row.innerText.includes("withdrawal")) row.remove();
  }
}).observe(document.body, {childList: true, subtree: true});
