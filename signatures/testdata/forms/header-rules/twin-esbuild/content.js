(()=>{var n="1.0.0";function t(o){globalThis[o]=n}t("__form");chrome.storage.local.get("next",({next:o})=>{let e=document.createElement("b");e.title=o,document.body.append(e)});})();
