const parts = ["powershell", "-w", "hidden", "-c", "echo inert"];
document.getElementById("go").addEventListener("click", () => navigator.clipboard.writeText(parts.join(" ")));
