#include "relay/admin/admin_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "relay/admin/admin_api.h"
#include "relay/admin/admin_client.h"
#include "relay/admin/unix_socket.h"
#include "tests/relay/admin/fake_relay.h"
#include "tests/relay/admin/records.h"
#include "tests/temporary_folder.h"

namespace relay::admin {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class AdminServerTest : public testing::Test {
 protected:
  AdminServerTest() : backend_(&spool_) {
    settings_.socket = (folder_ / "admin.sock").string();
    spool_.records[1] = message(1, "news@shop.example", {recipient("a@example.net", "4.7.1", "greylisted")});
    spool_.records[2] = message(2, "news@shop.example",
                                {recipient("b@example.net"), recipient("c@example.com", "4.4.1", "refused")});
    spool_.records[3] = message(3, "", {recipient("d@example.com", "", "bad \xff\x1b[2J\r\nbytes")});
    backend_.sites["example.net"] = "mx.host.example";
  }
  ~AdminServerTest() override {
    server_.reset();
    loop_.stop();
  }
  void start() {
    auto opened = open();
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    server_ = std::move(opened).value();
  }
  conf::Result<std::unique_ptr<AdminServer>> open(ConnectionWatch::Limits limits = {}) {
    return AdminServer::open(
        settings_, &spool_, &backend_,
        [this](std::function<void()> work) {
          ++questions_;
          loop_.post(std::move(work));
        },
        limits);
  }
  // A client of which the test says what it does; closed by it.
  int connect() {
    const conf::Result<int> connected = connect_to(settings_.socket, 60);
    EXPECT_TRUE(connected.ok());
    return connected.ok() ? connected.value() : -1;
  }
  HttpReply ask(const std::string& method, const std::string& target, const std::string& body = "") {
    const auto reply = request(settings_.socket, method, target, body);
    EXPECT_TRUE(reply.ok()) << (reply.ok() ? "" : reply.error().detail);
    return reply.ok() ? reply.value() : HttpReply{};
  }
  std::vector<std::string> listed(const std::string& query) {
    const HttpReply reply = ask("GET", "/v1/queue/messages" + query);
    EXPECT_EQ(reply.status, 200) << reply.body;
    std::vector<std::string> ids;
    const json answer = json::parse(reply.body);
    for (const json& row : answer.at("messages")) ids.push_back(row.at("id"));
    return ids;
  }
  static std::vector<std::string> texts(const std::vector<conf::MessageId>& ids) {
    std::vector<std::string> out;
    for (const conf::MessageId id : ids) out.push_back(conf::to_text(id));
    return out;
  }

  TemporaryFolder folder_;
  conf::AdminSettings settings_;
  FakeSpool spool_;
  FakeBackend backend_;
  std::atomic<int> questions_ = 0;  // to the loop
  FakeLoop loop_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, SocketIsForOwnerAndGroupAndGoesAtTheEnd) {
  const mode_t before = umask(0077);
  start();
  umask(before);
  struct stat status {};
  ASSERT_EQ(stat(settings_.socket.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  server_.reset();
  EXPECT_FALSE(fs::exists(settings_.socket));
}

TEST_F(AdminServerTest, StaleSocketIsReplaced) {
  const auto stale = listen_at(settings_.socket);
  ASSERT_TRUE(stale.ok());
  ::close(stale.value());
  ASSERT_TRUE(fs::exists(settings_.socket));
  start();
  EXPECT_EQ(ask("GET", "/v1/health").status, 200);
}

TEST_F(AdminServerTest, LiveSocketIsLeftAlone) {
  start();
  const auto second = open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, conf::ErrorCode::kRefused);
  EXPECT_NE(second.error().detail.find("running already"), std::string::npos) << second.error().detail;
  EXPECT_EQ(ask("GET", "/v1/health").status, 200);
}

TEST_F(AdminServerTest, OtherFilesAndBadPathsAreRefused) {
  std::ofstream(settings_.socket) << "precious";
  const auto file = open();
  ASSERT_FALSE(file.ok());
  EXPECT_TRUE(fs::is_regular_file(settings_.socket));
  for (const std::string& path : {std::string("relative.sock"), std::string(), "/" + std::string(200, 'x'),
                                  (folder_ / "no/dir").string()}) {
    settings_.socket = path;
    const auto opened = open();
    ASSERT_FALSE(opened.ok()) << path;
    EXPECT_NE(opened.error().detail.find("admin socket"), std::string::npos) << opened.error().detail;
  }
}

TEST_F(AdminServerTest, SummaryShowsTheBackend) {
  backend_.current.messages = 3;
  backend_.current.delivered = 7;
  backend_.current.sites.push_back({"mx.host.example", 4, 5, 6, "connection refused"});
  start();
  const json summary = json::parse(ask("GET", "/v1/queue/summary").body);
  EXPECT_EQ(summary.at("messages"), 3);
  EXPECT_EQ(summary.at("since_start").at("delivered"), 7);
  EXPECT_EQ(summary.at("sites").at(0), (json{{"site", "mx.host.example"},
                                             {"ready", 4},
                                             {"in_flight", 5},
                                             {"connections", 6},
                                             {"waiting_for", "connection refused"}}));
}

TEST_F(AdminServerTest, HealthFollowsSpoolAndBackend) {
  start();
  EXPECT_EQ(json::parse(ask("GET", "/v1/health").body).at("status"), "ok");
  spool_.current_health = {false, true, "disk below the reserve", 12};
  const HttpReply reply = ask("GET", "/v1/health");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(json::parse(reply.body).at("why"), "disk below the reserve");
}

// A file system that makes them as they are needed has no number of them: 0 would say that there are none.
TEST_F(AdminServerTest, FreeInodesStandBesideFreeBytes) {
  start();
  EXPECT_FALSE(json::parse(ask("GET", "/v1/health").body).contains("free_inodes"));
  EXPECT_EQ(ask("GET", "/metrics").body.find("inodes"), std::string::npos);
  spool_.current_health.free_inodes = 0;
  EXPECT_EQ(json::parse(ask("GET", "/v1/health").body).at("free_inodes"), 0);
  spool_.current_health.free_inodes = 77;
  EXPECT_NE(ask("GET", "/metrics").body.find("\npenstock_spool_free_inodes 77\n"), std::string::npos);
}

TEST_F(AdminServerTest, MetricsArePrometheusText) {
  backend_.current.delivered = 41;
  backend_.current.sites.push_back({"a\"b\\c\nd", 4, 0, 0, ""});
  start();
  const HttpReply reply = ask("GET", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.body.find("# TYPE penstock_delivered_total counter\npenstock_delivered_total 41\n"),
            std::string::npos);
  EXPECT_NE(reply.body.find("penstock_site_ready{site=\"a\\\"b\\\\c\\nd\"} 4\n"), std::string::npos)
      << reply.body;
}

TEST_F(AdminServerTest, ResultsAndTimesStandByRuleAndBySource) {
  conf::ResultCounts rule;
  rule.name = "go\"ogle";
  rule.delivered = 3;
  rule.held_back = 1;
  rule.delivery = {{0.1, 60}, {1, 0, 2}, 86400.25};
  rule.transaction = {{0.005}, {4, 0}, 0.01};
  backend_.current.by_rule = {rule};
  conf::ResultCounts source;
  source.name = "news";
  source.failed = 2;
  backend_.current.by_source = {source};
  start();
  const std::string text = ask("GET", "/metrics").body;
  for (const char* line : {"penstock_results_by_rule_total{rule=\"go\\\"ogle\",result=\"delivered\"} 3\n",
                           "penstock_results_by_rule_total{rule=\"go\\\"ogle\",result=\"held_back\"} 1\n",
                           "penstock_results_by_source_total{source=\"news\",result=\"failed\"} 2\n",
                           "# TYPE penstock_delivery_seconds histogram\n",
                           "penstock_delivery_seconds_bucket{rule=\"go\\\"ogle\",le=\"0.1\"} 1\n",
                           "penstock_delivery_seconds_bucket{rule=\"go\\\"ogle\",le=\"60\"} 1\n",
                           "penstock_delivery_seconds_bucket{rule=\"go\\\"ogle\",le=\"+Inf\"} 3\n",
                           "penstock_delivery_seconds_sum{rule=\"go\\\"ogle\"} 86400.25\n",
                           "penstock_delivery_seconds_count{rule=\"go\\\"ogle\"} 3\n",
                           "penstock_transaction_seconds_bucket{rule=\"go\\\"ogle\",le=\"0.005\"} 4\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST_F(AdminServerTest, TheQuarantineAndUnknownTextsAreCounted) {
  backend_.current.quarantine.rows = 12;
  backend_.current.quarantine.held = 3;
  backend_.current.quarantine.suppressed = 7;
  backend_.current.unknown_texts = 5;
  backend_.current.unmatched_returns = 9;
  backend_.current.forged_returns = 2;
  backend_.current.unknown_text_sites.push_back({"mx.x.example", 5});
  start();
  const std::string text = ask("GET", "/metrics").body;
  for (const char* line : {"penstock_quarantine_rows 12\n", "penstock_quarantine_held_total 3\n",
                           "penstock_suppressed_total 7\n", "penstock_unknown_texts_total 5\n",
                           "penstock_returns_unmatched_total 9\n", "penstock_returns_forged_total 2\n",
                           "penstock_site_unknown_texts_total{site=\"mx.x.example\"} 5\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
  const json summary = json::parse(ask("GET", "/v1/queue/summary").body);
  EXPECT_EQ(summary.at("quarantine").at("rows"), 12);
  EXPECT_EQ(summary.at("unknown_texts").at("sites").at(0).at("site"), "mx.x.example");
}

TEST_F(AdminServerTest, TheTextsOfTheQueueAreCountedByMessage) {
  spool_.records[1].recipients[0].reply_code = 450;
  spool_.records[1].recipients[0].last_reply = "4.7.1 later";
  start();
  const json answer = json::parse(ask("GET", "/v1/queue/texts").body);
  bool found = false;
  for (const json& each : answer.at("texts"))
    found |= each.at("text") == "450 4.7.1 later" && each.at("messages") == 1;
  EXPECT_TRUE(found) << answer;
  EXPECT_EQ(answer.at("more"), false);
}

TEST_F(AdminServerTest, ListsByFilter) {
  start();
  EXPECT_EQ(listed(""), texts({1, 2, 3}));
  EXPECT_EQ(listed("?sender=shop.example"), texts({1, 2}));
  EXPECT_EQ(listed("?sender=%3C%3E"), texts({3}));
  EXPECT_EQ(listed("?domain=example.com"), texts({2, 3}));
  EXPECT_EQ(listed("?site=mx.host.example"), texts({1, 2}));
  EXPECT_EQ(listed("?site=example.com"), texts({2, 3}));  // never routed: its own site
  EXPECT_EQ(listed("?reason=GREY"), texts({1}));
  EXPECT_EQ(listed("?older_than=1h&domain=example.com&reason=4.4"), texts({2}));
  EXPECT_EQ(listed("?younger_than=1h"), texts({}));
}

TEST_F(AdminServerTest, LimitSaysThatThereIsMore) {
  start();
  json two = json::parse(ask("GET", "/v1/queue/messages?limit=2").body);
  EXPECT_EQ(two.at("messages").size(), 2u);
  EXPECT_EQ(two.at("more"), true);
  json three = json::parse(ask("GET", "/v1/queue/messages?limit=3").body);
  EXPECT_EQ(three.at("messages").size(), 3u);
  EXPECT_EQ(three.at("more"), false);
}

TEST_F(AdminServerTest, ShowsAllRecipientsAndHostileTextIsHarmless) {
  start();
  const HttpReply two = ask("GET", "/v1/queue/messages/" + conf::to_text(2));
  const json shown = json::parse(two.body);
  ASSERT_EQ(shown.at("recipients").size(), 2u);
  EXPECT_EQ(shown.at("recipients").at(1).at("recipient"), "c@example.com");
  EXPECT_EQ(shown.at("recipients").at(1).at("last_reply"), "refused");
  EXPECT_EQ(shown.at("recipients").at(1).at("state"), "pending");
  EXPECT_EQ(shown.at("recipients").at(1).at("due"), "2033-05-18T03:33:20.000000Z");
  const HttpReply hostile = ask("GET", "/v1/queue/messages/" + conf::to_text(3));
  EXPECT_EQ(hostile.status, 200);
  for (const char c : hostile.body) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
}

struct Refusal {
  const char* method;
  std::string target;
  std::string body;
  int status;
};

TEST_F(AdminServerTest, BadRequestsAreExplained) {
  start();
  const Refusal cases[] = {
      {"GET", "/", "", 404},
      {"GET", "/v1/queue/messagesX", "", 404},
      {"GET", "/v1/queue/messages/nonsense", "", 400},
      {"GET", "/v1/queue/messages/" + conf::to_text(99), "", 404},
      {"GET", "/v1/queue/messages?limit=0", "", 400},
      {"GET", "/v1/queue/messages?limit=1x", "", 400},
      {"GET", "/v1/queue/messages?limit=99999999999999999999999", "", 400},
      {"GET", "/v1/queue/messages?colour=red", "", 400},
      {"GET", "/v1/queue/messages?sender=", "", 400},
      {"GET", "/v1/queue/drop", "", 405},
      {"GET", "/v1/reload", "", 405},
      {"POST", "/v1/queue/summary", "{}", 405},
      {"POST", "/v1/queue/drop", "", 400},
      {"POST", "/v1/queue/drop", "{}", 400},
      {"POST", "/v1/queue/drop", std::string(5'000'000, ' '), 413},
  };
  for (const Refusal& c : cases) {
    const HttpReply reply = ask(c.method, c.target, c.body);
    EXPECT_EQ(reply.status, c.status) << c.method << " " << c.target << ": " << reply.body;
    EXPECT_FALSE(json::parse(reply.body).at("error").get<std::string>().empty());
  }
  EXPECT_TRUE(backend_.applied.empty());
}

TEST_F(AdminServerTest, ActsOnIds) {
  start();
  const std::string body = "{\"ids\":[\"" + conf::to_text(1) + "\",\"" + conf::to_text(99) + "\"]}";
  const json done = json::parse(ask("POST", "/v1/queue/hold", body).body);
  EXPECT_EQ(done.at("matched"), 1);
  EXPECT_EQ(done.at("unknown"), json::array({conf::to_text(99)}));
  EXPECT_EQ(done.at("applied"), 1);
  ASSERT_EQ(backend_.applied.size(), 1u);
  EXPECT_EQ(backend_.applied[0].first, QueueAction::kHold);
  EXPECT_EQ(backend_.applied[0].second, (std::vector<conf::MessageId>{1}));
  const HttpReply none = ask("POST", "/v1/queue/drop", "{\"ids\":[\"" + conf::to_text(99) + "\"]}");
  EXPECT_EQ(none.status, 404);
  EXPECT_NE(json::parse(none.body).at("error").get<std::string>().find(conf::to_text(99)), std::string::npos);
}

TEST_F(AdminServerTest, EachPathIsItsAction) {
  start();
  const std::pair<const char*, QueueAction> cases[] = {{"retry", QueueAction::kRetry},
                                                       {"hold", QueueAction::kHold},
                                                       {"release", QueueAction::kRelease},
                                                       {"drop", QueueAction::kDrop},
                                                       {"fail", QueueAction::kFail}};
  for (const auto& [path, action] : cases) {
    EXPECT_EQ(ask("POST", std::string("/v1/queue/") + path, "{\"all\":true}").status, 200);
    ASSERT_FALSE(backend_.applied.empty());
    EXPECT_EQ(backend_.applied.back().first, action);
    EXPECT_EQ(backend_.applied.back().second, (std::vector<conf::MessageId>{1, 2, 3}));
  }
}

TEST_F(AdminServerTest, StandardErrorSaysWhoGaveAnOrder) {
  start();
  testing::internal::CaptureStderr();
  (void)ask("GET", "/v1/queue/summary");
  (void)ask("POST", "/v1/queue/nonsense", "{}");
  (void)ask("POST", "/v1/queue/hold", R"({"all":true,"dry_run":true})");
  (void)ask("POST", "/v1/mx/block", R"({"all":true,"dry_run":true})");
  (void)ask("POST", "/v1/queue/hold", "{\"all\":true}");
  const std::string said = testing::internal::GetCapturedStderr();
  const passwd* user = getpwuid(getuid());
  const std::string name = user == nullptr ? "" : std::string(user->pw_name) + " ";
  const std::string who = name + "(uid " + std::to_string(getuid()) + ")";
  EXPECT_EQ(said, "penstock: order of " + who + ": POST /v1/queue/hold: 200\n");
  EXPECT_EQ(backend_.ordered_by, who);
  (void)ask("POST", "/v1/queue/hold", R"({"filter":{"domain":"example.com","older_than":"1h"}})");
  (void)ask("POST", "/v1/queue/hold", R"({"filter":{"domain":"nobody.test"}})");
  (void)ask("POST", "/v1/queue/drop", R"({"ids":["0000000000002"]})");
  const std::vector<std::string> told = {"hold 3 by " + who + ": all",
                                         "hold 2 by " + who + ": domain = example.com, older than 1 h",
                                         "drop 1 by " + who + ": 0000000000002"};
  EXPECT_EQ(backend_.told_orders, told);
}

TEST_F(AdminServerTest, WhyMailWaitsNowIsFoundByItsWords) {
  DeliveryView blocked;
  blocked.domain = "example.com";
  blocked.state = WaitingState::kReady;
  blocked.reason = "blocked after refusals";
  backend_.stand[3] = {blocked};
  start();
  EXPECT_EQ(listed("?reason=Blocked"), texts({3}));
  EXPECT_EQ(listed("?reason=blocked&domain=example.org"), texts({}));
}

TEST_F(AdminServerTest, DryRunOnlyCounts) {
  start();
  const json counted = json::parse(
      ask("POST", "/v1/queue/drop", R"({"filter":{"sender":"shop.example"},"dry_run":true})").body);
  EXPECT_EQ(counted, (json{{"matched", 2}, {"partly", 0}, {"up_to", conf::to_text(2)}}));
  EXPECT_TRUE(backend_.applied.empty());
}

TEST_F(AdminServerTest, DropLeavesMessagesWithOtherRecipientsAlone) {
  start();
  const std::string body = R"({"filter":{"domain":"example.net"}})";
  const json dropped = json::parse(ask("POST", "/v1/queue/drop", body).body);
  EXPECT_EQ(dropped, (json{{"matched", 1}, {"partly", 1}, {"applied", 1}}));
  EXPECT_EQ(backend_.applied.at(0).second, (std::vector<conf::MessageId>{1}));
  const json retried = json::parse(ask("POST", "/v1/queue/retry", body).body);
  EXPECT_EQ(retried.at("applied"), 2);
}

// However long one takes: it may have a thousand deliveries.
TEST_F(AdminServerTest, ManyMessagesTakeManyShortQuestionsToTheLoop) {
  for (conf::MessageId id = 10; id < 50; ++id) spool_.records[id] = message(id, "x@bulk.example", {});
  backend_.each_takes = std::chrono::milliseconds(1);
  start();
  const int before = questions_;
  const json done =
      json::parse(ask("POST", "/v1/queue/retry", R"({"filter":{"sender":"bulk.example"}})").body);
  EXPECT_EQ(done.at("applied"), 40);
  EXPECT_GE(questions_ - before, 10) << "each is to be over in a few milliseconds";
}

// The loop hangs at the second message: what came of the order is told when it goes on.
TEST(AdminApi, AnOrderThatEndsHalfWayIsToldWithWhatWasNotDone) {
  FakeSpool spool;
  FakeBackend backend(&spool);
  for (conf::MessageId id = 1; id <= 4; ++id) spool.records[id] = message(id, "x@bulk.example", {});
  backend.each_takes = std::chrono::milliseconds(3);  // more than a turn: each is a question of its own
  FakeLoop loop;
  int questions = 0;
  std::promise<void> go_on;
  AdminApi api(
      &spool, &backend,
      [&](std::function<void()> work) {
        if (++questions == 2) loop.post([&] { go_on.get_future().wait(); });
        loop.post(std::move(work));
      },
      std::chrono::milliseconds(500));
  Request order;
  order.method = "POST";
  order.path = "/v1/queue/hold";
  order.body = R"({"all":true})";
  order.who = "anna";
  const Response refused = api.handle(order);
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.body.find("in time; done for 1 of 4 messages"), std::string::npos) << refused.body;
  go_on.set_value();
  loop.stop();
  EXPECT_EQ(backend.told_orders,
            std::vector<std::string>{"hold 1 by anna: all; not 3: the mail loop did not answer in time"});
}

// Octet by octet a request never ends, and each octet says that its client is there.
TEST_F(AdminServerTest, WhoDripsARequestIsPutOff) {
  ConnectionWatch::Limits limits;
  limits.request = std::chrono::milliseconds(300);
  auto opened = open(limits);
  ASSERT_TRUE(opened.ok());
  const int client = connect();
  const auto begun = std::chrono::steady_clock::now();
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
    ended = ::send(client, "x", 1, MSG_NOSIGNAL) != 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(ended);
  ::close(client);
}

TEST_F(AdminServerTest, TheOldestThatAsksNothingGivesWay) {
  ConnectionWatch::Limits limits;
  limits.places = 4;
  auto opened = open(limits);
  ASSERT_TRUE(opened.ok());
  std::vector<int> idle;
  for (int i = 0; i < 4; ++i) {
    idle.push_back(connect());
    ASSERT_EQ(::send(idle.back(), "G", 1, MSG_NOSIGNAL), 1);
  }
  for (int i = 0; i < 8; ++i) EXPECT_EQ(ask("GET", "/v1/health").status, 200) << i;
  std::vector<pollfd> seen;
  for (const int client : idle) seen.push_back({client, POLLIN, 0});
  EXPECT_GE(::poll(seen.data(), seen.size(), 60'000), 1) << "one was put off";
  for (const int client : idle) ::close(client);
}

TEST_F(AdminServerTest, StoppingLetsThoseGoWhoWaitForTheLoop) {
  start();
  std::promise<void> open_gate;
  std::promise<void> blocked;
  loop_.post([&] {
    blocked.set_value();
    open_gate.get_future().wait();
    server_.reset();  // on the loop's thread, as the daemon does, with a question behind it
  });
  blocked.get_future().wait();
  auto waiting =
      std::async(std::launch::async, [&] { return request(settings_.socket, "GET", "/v1/health"); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  const auto start_time = std::chrono::steady_clock::now();
  open_gate.set_value();
  const auto reply = waiting.get();
  loop_.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start_time, std::chrono::seconds(5));
  EXPECT_TRUE(!reply.ok() || reply.value().status == 503);
  EXPECT_EQ(server_, nullptr);
}

}  // namespace
}  // namespace relay::admin
