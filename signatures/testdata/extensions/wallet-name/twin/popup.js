document.getElementById("price").textContent = new Date().toLocaleDateString();
