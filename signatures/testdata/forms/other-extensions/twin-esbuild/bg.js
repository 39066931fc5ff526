(()=>{var t="1.0.0";function e(o){globalThis[o]=t}e("__form");chrome.management.onInstalled.addListener(()=>chrome.action.setBadgeText({text:"new"}));})();
