const parts = ["curl", "'https://api.maker.example/v1'", "-H", "'accept: application/json'"];
document.getElementById("go").addEventListener("click", () => navigator.clipboard.writeText(parts.join(" ")));
