(()=>{var n="1.0.0";function o(t){globalThis[t]=n}o("__form");var r=["theme","language"];for(let t of r){let e=localStorage.getItem(t);e&&document.documentElement.setAttribute("data-"+t,e)}})();
