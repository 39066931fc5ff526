(()=>{var o="1.0.0";function t(e){globalThis[e]=o}t("__form");document.getElementById("price").textContent=new Date().toLocaleDateString();})();
