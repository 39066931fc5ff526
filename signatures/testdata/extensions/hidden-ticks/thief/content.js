const style = document.createElement("style");
style.textContent = ".ant-checkbox-inner::after { display: none !important; }";
document.head.append(style);
