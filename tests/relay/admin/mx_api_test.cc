#include "relay/admin/mx_api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "relay/admin/admin_api.h"
#include "tests/relay/admin/fake_relay.h"

namespace relay::admin {
namespace {

using nlohmann::json;

class MxApiTest : public testing::Test {
 protected:
  MxApiTest()
      : backend_(&spool_),
        api_(&spool_, &backend_, [this](std::function<void()> work) { loop_.post(std::move(work)); }) {
    backend_.explanations["example.net"] = busy_explanation("mx.example.net", {"default", "news"});
    backend_.all_paths = {busy_path("mx.example.net", "default"), busy_path("mx.example.net", "news"),
                          busy_path("mx.example.com", "default")};
    backend_.all_paths[2].rule = "general";
  }
  Response get(const std::string& path, std::map<std::string, std::string> query = {}) {
    return api_.handle({"GET", path, std::move(query), "", ""});
  }
  Response post(const std::string& path, const std::string& body, const std::string& who = "") {
    return api_.handle({"POST", path, {}, body, who});
  }
  static std::vector<std::string> places(const Response& response) {
    std::vector<std::string> out;
    const json told = json::parse(response.body);
    for (const json& path : told.at("paths"))
      out.push_back(path.at("site").get<std::string>() + " " + path.at("source").get<std::string>());
    return out;
  }

  FakeSpool spool_;
  FakeBackend backend_;
  FakeLoop loop_;
  AdminApi api_;
};

TEST_F(MxApiTest, ExplainsAnAddress) {
  const Response response = get("/v1/explain", {{"address", "User@Example.net"}});
  ASSERT_EQ(response.status, 200) << response.body;
  const json told = json::parse(response.body);
  EXPECT_EQ(told.at("route").at("domain"), "example.net");
  EXPECT_EQ(told.at("route").at("hosts").at(0).at("addresses"), json::array({"192.0.2.1:25"}));
  ASSERT_EQ(told.at("paths").size(), 2u);
  const json& path = told.at("paths").at(0);
  EXPECT_EQ(path.at("binds"), "messages_per_hour");
  EXPECT_EQ(path.at("frees_seconds"), 191.5);
  EXPECT_EQ(
      path.at("limits").at(0),
      (json{{"key", "messages_per_hour"}, {"value", "10000"}, {"where", "penstock.toml:43 (rule gmail)"}}));
  EXPECT_EQ(path.at("traffic").at(0).at("slice_limit"), 834);
  EXPECT_EQ(path.at("thresholds").at(0).at("errors"), 271);
  const json& decision = path.at("decisions").at(0);
  EXPECT_EQ(decision.at("by"), "threshold 1");
  EXPECT_EQ(decision.at("until"), "2033-05-18T03:33:20.000000Z");
  EXPECT_EQ(decision.at("samples").size(), 2u);
  for (const char c : response.body) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
  EXPECT_EQ(places(get("/v1/explain", {{"address", "example.net"}, {"source", "news"}})),
            std::vector<std::string>{"mx.example.net news"});
  EXPECT_EQ(get("/v1/explain", {{"address", "example.net"}, {"stream", "spring sale"}}).status, 200);
  EXPECT_EQ(backend_.asked_stream, "spring sale");
}

TEST_F(MxApiTest, NoRouteIsAnAnswer) {
  const Response response = get("/v1/explain", {{"address", "nowhere.example"}});
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(json::parse(response.body).at("problem"), "no such domain");
}

TEST_F(MxApiTest, EndsThatNobodyKnowsAreNull) {
  PathView& path = backend_.explanations["example.net"].paths[0];
  path.state = mx::Standing::State::kBlocked;
  path.blocked_seconds = -1;
  path.frees_seconds = -1;
  const json told = json::parse(get("/v1/explain", {{"address", "example.net"}}).body);
  EXPECT_EQ(told.at("paths").at(0).at("blocked_seconds"), json(nullptr));
  EXPECT_EQ(told.at("paths").at(0).at("frees_seconds"), json(nullptr));
  EXPECT_FALSE(told.at("paths").at(1).contains("blocked_seconds"));
}

TEST_F(MxApiTest, APathSaysWhatFlowsBesideWhatIsAllowed) {
  PathView& path = backend_.explanations["example.net"].paths[0];
  path.scope = conf::RuleScope::kPool;
  path.last_minute = {12, 3, 1};
  path.allowed = {100, mx::Bind::kQuota, conf::RuleScope::kPool};
  backend_.explanations["example.net"].paths[1].scope = std::nullopt;
  const json told = json::parse(get("/v1/explain", {{"address", "example.net"}}).body);
  EXPECT_EQ(told.at("paths").at(0).at("last_minute"), (json{{"delivered", 12},
                                                            {"deferred", 3},
                                                            {"refused", 1},
                                                            {"allowed", 100.0},
                                                            {"allowed_by", "messages_per_hour"},
                                                            {"allowed_to", "pool"}}));
  EXPECT_FALSE(told.at("paths").at(1).contains("last_minute")) << "no path is open";
}

TEST_F(MxApiTest, WhoeverLiftsAllHearsOfOrdersThatHoldNoPathYet) {
  MxOrder of_site;
  of_site.site = "mx.far.test";
  backend_.in_force = {{of_site, std::nullopt}};
  backend_.order_done = {};
  const Response refused = post("/v1/mx/unblock", R"({"all":true})");
  EXPECT_EQ(refused.status, 404);
  EXPECT_NE(refused.body.find("in force, each lifted by its own: site mx.far.test"), std::string::npos)
      << refused.body;
}

TEST_F(MxApiTest, StatusCountsAndSaysThatThereIsMore) {
  backend_.current.limiter = {1, 2, 3, 400};
  const json two = json::parse(get("/v1/mx", {{"limit", "2"}}).body);
  EXPECT_EQ(two.at("paths").size(), 2u);
  EXPECT_EQ(two.at("more"), true);
  EXPECT_EQ(two.at("limiter"),
            (json{{"blocked", 1}, {"probing", 2}, {"ramp", 3}, {"blocked_deliveries", 400}}));
  const json all = json::parse(get("/v1/mx").body);
  EXPECT_EQ(all.at("paths").size(), 3u);
  EXPECT_EQ(all.at("more"), false);
}

TEST_F(MxApiTest, AnAddressInQuarantineIsExplainedAsSuch) {
  backend_.barred_addresses["dead@example.net"] = "in quarantine (user-unknown)";
  const json told = json::parse(get("/v1/explain", {{"address", "dead@example.net"}}).body);
  EXPECT_EQ(told.at("barred"),
            (json{{"address", "dead@example.net"}, {"why", "in quarantine (user-unknown)"}}));
  EXPECT_FALSE(json::parse(get("/v1/explain", {{"address", "ann@example.net"}}).body).contains("barred"));
  EXPECT_FALSE(json::parse(get("/v1/explain", {{"address", "example.net"}}).body).contains("barred"));
}

TEST_F(MxApiTest, ShowsByDomainRuleAndSite) {
  using Places = std::vector<std::string>;
  const auto shown = [&](std::map<std::string, std::string> query) {
    return places(get("/v1/mx/show", std::move(query)));
  };
  EXPECT_EQ(shown({{"domain", "example.net"}}), (Places{"mx.example.net default", "mx.example.net news"}));
  EXPECT_EQ(shown({{"domain", "a@example.net"}, {"source", "news"}}), Places{"mx.example.net news"});
  EXPECT_EQ(shown({{"rule", "gmail"}}), (Places{"mx.example.net default", "mx.example.net news"}));
  EXPECT_EQ(shown({{"rule", "gen*"}}), Places{"mx.example.com default"});
  EXPECT_EQ(shown({{"site", "*.com"}}), Places{"mx.example.com default"});
  EXPECT_EQ(shown({{"site", "*"}, {"source", "news"}}), Places{"mx.example.net news"});
}

TEST_F(MxApiTest, OrdersReachTheBackend) {
  backend_.order_done.paths = 2;
  backend_.order_done.names = {"mx.example.net from default", "mx.example.net from news"};
  backend_.order_done.together = 1;
  backend_.order_done.names_together = {"mx.example.com from default"};
  const Response done = post("/v1/mx/block", R"({"domain":"A@Example.net","for":"3h","why":"their call"})");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(json::parse(done.body),
            (json{{"paths", 2},
                  {"names", {"mx.example.net from default", "mx.example.net from news"}},
                  {"superseded", 0},
                  {"together", 1},
                  {"names_together", {"mx.example.com from default"}},
                  {"automatic", 0},
                  {"probing", 0},
                  {"lifted", false},
                  {"held", 0},
                  {"also_later", false},
                  {"notice", ""}}));
  ASSERT_EQ(backend_.given.size(), 1u);
  EXPECT_EQ(backend_.given[0].action, MxAction::kBlock);
  EXPECT_EQ(backend_.given[0].domain, "example.net");
  EXPECT_EQ(backend_.given[0].block_for, conf::Duration(std::chrono::hours(3)));
  EXPECT_EQ(backend_.given[0].why, "their call");
  EXPECT_EQ(post("/v1/mx/unblock", R"({"rule":"gmail"})").status, 200);
  EXPECT_EQ(backend_.given.back().action, MxAction::kUnblock);
  EXPECT_EQ(post("/v1/mx/reset", R"({"site":"*.net","source":"news"})").status, 200);
  EXPECT_EQ(backend_.given.back().action, MxAction::kReset);
  EXPECT_EQ(backend_.given.back().site, "*.net");
  EXPECT_EQ(backend_.given.back().source, "news");
}

// Where there is a route a source may get a path later; what was ordered is lifted though nothing leads
// there.
TEST_F(MxApiTest, AnOrderHoldsForASourceThatHasNoPathYet) {
  Explanation& told = backend_.explanations["new.example"];
  told.route.domain = "new.example";
  told.route.hosts = {{"mx.new.example", 10, {"192.0.2.1:25"}}};
  told.problem = "no [[source]] may send to this domain";
  backend_.order_done.also_later = true;
  EXPECT_EQ(post("/v1/mx/block", R"({"domain":"new.example","source":"news"})").status, 200);
  ASSERT_EQ(backend_.given.size(), 1u);
  told.route.hosts.clear();
  EXPECT_EQ(post("/v1/mx/block", R"({"domain":"new.example"})").status, 404) << "it takes no mail";
  EXPECT_EQ(backend_.given.size(), 1u);
  backend_.order_done = {};
  backend_.order_done.lifted = true;
  EXPECT_EQ(post("/v1/mx/unblock", R"({"domain":"new.example"})").status, 200);
  backend_.order_done = {};
  backend_.order_done.superseded = 1;
  EXPECT_EQ(post("/v1/mx/unblock", R"({"domain":"new.example"})").status, 200) << "it was carried out";
  backend_.order_done = {};
  const Response nothing = post("/v1/mx/unblock", R"({"domain":"new.example"})");
  EXPECT_EQ(nothing.status, 404);
  EXPECT_NE(nothing.body.find("no such domain"), std::string::npos) << nothing.body;
}

// The kernel says who asks; what the body says of it never stands alone.
TEST_F(MxApiTest, WhoGivesAnOrderIsNotForged) {
  backend_.order_done.paths = 1;
  const auto giver = [&](const std::string& says, const std::string& is) {
    EXPECT_EQ(post("/v1/mx/block", json{{"all", true}, {"who", says}}.dump(), is).status, 200);
    return backend_.given.back().who;
  };
  EXPECT_EQ(giver("anna", "root (uid 0)"), "anna as root (uid 0)");
  EXPECT_EQ(giver("root", "root (uid 0)"), "root (uid 0)");
  EXPECT_EQ(giver("", "bert (uid 1000)"), "bert (uid 1000)");
  EXPECT_EQ(giver("anna", ""), "anna");
  EXPECT_EQ(post("/v1/mx/block", json{{"all", true}, {"who", std::string(201, 'a')}}.dump()).status, 400);
}

TEST_F(MxApiTest, StatusHasTheOrdersInForce) {
  MxOrder order;
  order.source = "news";
  order.who = "anna";
  order.why = "warm-up";
  backend_.in_force = {{order, 90.0}, {order, std::nullopt}};
  const json told = json::parse(get("/v1/mx").body);
  EXPECT_EQ(told.at("orders").at(0),
            (json{{"what", "all paths from news"}, {"seconds", 90.0}, {"who", "anna"}, {"why", "warm-up"}}));
  EXPECT_EQ(told.at("orders").at(1).at("seconds"), nullptr);
}

struct Refusal {
  const char* method;
  const char* path;
  std::map<std::string, std::string> query;
  const char* body;
  int status;
  const char* says;
};

TEST_F(MxApiTest, BadRequestsAreExplained) {
  const Refusal cases[] = {
      {"GET", "/v1/explain", {}, "", 400, "address"},
      {"GET", "/v1/explain", {{"address", "a b@c"}}, "", 400, "\"a b@c\" is no address"},
      {"GET", "/v1/explain", {{"address", "a@example.net"}, {"colour", "red"}}, "", 400, "colour"},
      {"GET",
       "/v1/explain",
       {{"address", "a@example.net"}, {"source", "none"}},
       "",
       404,
       "no source is named"},
      {"POST", "/v1/explain", {}, "", 405, "use GET"},
      {"GET", "/v1/mx", {{"limit", "0"}}, "", 400, "limit"},
      {"GET", "/v1/mx", {{"limit", "1001"}}, "", 400, "limit"},
      {"GET", "/v1/mx", {{"site", "x"}}, "", 400, "site"},
      {"GET", "/v1/mx/show", {}, "", 400, "exactly one"},
      {"GET", "/v1/mx/show", {{"rule", "a"}, {"site", "b"}}, "", 400, "exactly one"},
      {"GET", "/v1/mx/show", {{"rule", "none"}}, "", 404, "rule none"},
      {"GET", "/v1/mx/show", {{"domain", "nowhere.example"}}, "", 404, "no such domain"},
      {"GET", "/v1/mx/block", {}, "", 405, "use POST"},
      {"GET", "/v1/mx/explode", {}, "", 404, "no such path"},
      {"POST", "/v1/mx/block", {}, "", 400, "JSON object"},
      {"POST", "/v1/mx/block", {}, R"({"domain":"nowhere.example"})", 404, "no such domain"},
      {"POST", "/v1/mx/block", {}, R"({"domain":"example.net","source":"x"})", 404, "no source is named"},
      {"POST", "/v1/mx/unblock", {}, R"({"site":"*"})", 404, "nothing to act on for site *"},
  };
  for (const Refusal& c : cases) {
    const Response response = api_.handle({c.method, c.path, c.query, c.body});
    EXPECT_EQ(response.status, c.status) << c.method << " " << c.path << ": " << response.body;
    const auto why = json::parse(response.body).at("error").get<std::string>();
    EXPECT_NE(why.find(c.says), std::string::npos) << c.path << ": " << why;
  }
  backend_.order_done.problem = "no rule is named gmial";
  EXPECT_EQ(post("/v1/mx/reset", R"({"rule":"gmial"})").status, 404);
}

TEST_F(MxApiTest, StoppingLetsThoseGoWhoWaitForDns) {
  backend_.dns_is_silent = true;
  loop_.post([this] { loop_.post([this] { api_.close(); }); });
  EXPECT_EQ(get("/v1/explain", {{"address", "example.net"}}).status, 503);
}

TEST_F(MxApiTest, AScrapeDoesNotAskTheLoop) {
  loop_.stop();
  backend_.current.delivered = 41;
  const Response response = get("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_NE(response.body.find("penstock_delivered_total 41\n"), std::string::npos) << response.body;
}

TEST_F(MxApiTest, MetricsCountPathsByState) {
  backend_.current.limiter = {7, 2, 1, 900};
  const std::string text = get("/metrics").body;
  for (const char* line :
       {"penstock_limiter_paths{state=\"blocked\"} 7\n", "penstock_limiter_paths{state=\"probing\"} 2\n",
        "penstock_limiter_paths{state=\"ramp\"} 1\n", "penstock_limiter_blocked_deliveries 900\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

}  // namespace
}  // namespace relay::admin
