/** What counts as a phone. Below 768 pixels pages use their phone layout; the same figure stands in app.css. */
export const PHONE = "(max-width: 767px)";
