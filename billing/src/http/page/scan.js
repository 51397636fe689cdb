// Reads the label of a spare with the camera into the form, where the browser can. Whoever holds the phone checks what
// was read, and presses the button.
"use strict";

const PAUSE_MS = 200;
const MAC = /(?<![0-9A-F])(?:[0-9A-F]{2}([:-]?))(?:[0-9A-F]{2}\1){4}[0-9A-F]{2}(?![0-9A-F])/i;
const SERIAL_NUMBER = /^[\w.-]{4,64}$/;

const start = document.querySelector("[data-scan]");
const dialog = document.querySelector("#camera");

// Fills in what is on the label; whether the MAC address was on it.
function take(codes) {
  const texts = codes.map((code) => code.rawValue.trim());
  const mac = texts.map((text) => MAC.exec(text)).find((found) => found);
  if (!mac) return false;
  document.querySelector("#new_mac").value = mac[0];
  const serial = texts.find((text) => !MAC.test(text) && SERIAL_NUMBER.test(text));
  if (serial) document.querySelector("#new_serial_number").value = serial;
  return true;
}

async function scan() {
  const video = dialog.querySelector("video");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    dialog.showModal();
    await video.play();
    const detector = new BarcodeDetector();
    while (dialog.open && !take(await detector.detect(video))) {
      await new Promise((next) => setTimeout(next, PAUSE_MS));
    }
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
    dialog.close();
  }
}

// Without HTTPS a browser gives no page the camera.
if (start && "BarcodeDetector" in window && window.isSecureContext && navigator.mediaDevices) {
  const failed = dialog.parentElement.querySelector("#camera-failed");
  start.hidden = false;
  start.addEventListener("click", () => {
    failed.hidden = true;
    scan().catch((error) => {
      console.warn(error);
      failed.hidden = false;
    });
  });
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
}
