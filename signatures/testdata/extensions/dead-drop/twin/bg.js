async function target() {
  return chrome.runtime.getURL("viewer.html");
}

chrome.runtime.onInstalled.addListener(async () => chrome.tabs.create({url: await target()}));
chrome.action.onClicked.addListener(async () => chrome.tabs.create({url: await target()}));
