chrome.action.onClicked.addListener((tab) => {
  chrome.debugger.attach({tabId: tab.id}, "1.3", () => chrome.debugger.sendCommand({tabId: tab.id}, "Emulation.setTouchEmulationEnabled", {enabled: true}));
});
