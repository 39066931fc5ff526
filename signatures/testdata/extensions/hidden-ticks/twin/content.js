const style = document.createElement("style");
style.textContent = ".promo-slider::after { display: none !important; }";
document.head.append(style);
