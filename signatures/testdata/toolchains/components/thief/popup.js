import Words from "./Words.svelte";

new Words({ target: document.body });
