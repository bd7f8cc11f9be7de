/** Words of signing in to other systems with the account here, of devices, and of signing out there. */
export const oidcWords = {
  "oidc.title": ["登录 {client}", "Sign in to {client}"],
  "oidc.wants": [
    "{client}（{host}）希望你用这里的账号登录，并得到：",
    "{client} ({host}) asks you to sign in with your account here. It will get:",
  ],
  "oidc.device-wants": [
    "{client} 希望你用这里的账号登录，并得到：",
    "{client} asks you to sign in with your account here. It will get:",
  ],
  "oidc.as": ["当前账号：{name}（{username}）", "You are {name} ({username})"],
  "oidc.approve": ["同意并登录", "Agree and sign in"],
  "oidc.deny": ["拒绝", "Refuse"],
  "oidc.failed": ["无法登录", "Cannot sign in"],
  "oidc.back": [
    "请关闭本页，回到原来的系统重新登录",
    "Close this page, go back to the system you came from and sign in again",
  ],

  "oidc-scope.openid": ["你的账号编号", "Your account's number"],
  "oidc-scope.profile": ["你的姓名和用户名", "Your name and user name"],
  "oidc-scope.organisation": ["你所在的单位", "Your organisation"],
  "oidc-scope.role": ["你的角色", "Your role"],
  "oidc-scope.offline_access": ["在你退出登录后继续使用以上信息", "All this still after you have signed out"],

  "oidc.device": ["设备登录", "Sign in on a device"],
  "oidc.device-code": ["设备上显示的代码", "The code that the device shows"],
  "oidc.device-missing": ["请输入 8 个字母的代码", "Enter the code of 8 letters"],
  "oidc.device-next": ["继续", "Go on"],
  "oidc.device-warning": [
    "只有代码正显示在你面前的设备上时才同意；别人发给你的代码请拒绝。",
    "Agree only while the device before you shows this code; refuse one that somebody sent you.",
  ],
  "oidc.device-approved": ["设备已登录，可以关闭本页", "The device is signed in; you can close this page"],
  "oidc.device-denied": ["已拒绝，可以关闭本页", "Refused; you can close this page"],

  "oidc.logout": ["退出登录", "Sign out"],
  "oidc.logout-wants": ["{client} 请你退出登录。", "{client} asks you to sign out."],
  "oidc.logout-text": [
    "你将退出这里，以及用这个账号登录的其他系统。",
    "You will be signed out here, and of the other systems where you signed in with this account.",
  ],
  "oidc.logout-stay": ["不退出", "Stay signed in"],
  "oidc.logout-done": ["已退出登录，可以关闭本页", "You are signed out; you can close this page"],
} as const;
