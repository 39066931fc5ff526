chrome.action.onClicked.addListener(() => chrome.tabs.create({url: "https://www.binance.com/"}));
