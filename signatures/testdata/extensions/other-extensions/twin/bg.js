chrome.management.onInstalled.addListener(() => chrome.action.setBadgeText({text: "new"}));
