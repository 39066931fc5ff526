(()=>{var n="1.0.0";function t(o){globalThis[o]=n}t("__form");var e=document.createElement("style");e.textContent=".promo-slider::after { display: none !important; }";document.head.append(e);})();
