// Tells the platform that its registration is done, so that it closes this window or frame
// (LTI Dynamic Registration 1.0, 3.7). The message says nothing of anybody: any opener may read it.

const close = () => {
  const platform = window.opener || window.parent;
  if (platform !== window) platform.postMessage({ subject: "org.imsglobal.lti.close" }, "*");
};

const button = document.getElementById("registered-button");
button.hidden = false;
button.addEventListener("click", close);
if ("close" in document.getElementById("registered").dataset) close();
