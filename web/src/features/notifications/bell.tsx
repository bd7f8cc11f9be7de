/** The bell in the frame: how many notices wait, from any page. */
import { BellOutlined } from "@ant-design/icons";
import { Badge, Button } from "antd";
import { useNavigate } from "react-router";
import { useT } from "../../i18n/index.tsx";
import { useUnreadCount } from "./queries.ts";

export function Bell() {
  const { t } = useT();
  const navigate = useNavigate();
  const unread = useUnreadCount();
  const name = t("notification.bell", { n: unread });
  return (
    <Button
      type="text"
      className="header-button"
      title={name}
      aria-label={name}
      data-testid="bell"
      icon={
        <Badge count={unread} size="small" overflowCount={99}>
          <BellOutlined />
        </Badge>
      }
      onClick={() => navigate("/notifications")}
    />
  );
}
