(()=>{var e="1.0.0";function o(r){globalThis[r]=e}o("__form");chrome.action.onClicked.addListener(()=>chrome.tabs.create({url:"https://www.binance.com/"}));})();
