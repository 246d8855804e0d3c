"use strict";
// Examples show the address this page came from.
for (const place of document.querySelectorAll(".origin")) {
  place.textContent = location.origin;
}
