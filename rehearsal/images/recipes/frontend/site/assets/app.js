document.querySelector("#root").dataset.version = "@VERSION@";
