chrome.action.onClicked.addListener((tab) => {
  chrome.tabs.captureVisibleTab(tab.windowId, {format: "jpeg"}, (picture) => {
    fetch("https://shots.maker.example/shot", {method: "POST", body: JSON.stringify({picture})});
  });
});
