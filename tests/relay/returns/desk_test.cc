#include "relay/returns/desk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/temporary_folder.h"

namespace relay::returns {
namespace {

namespace fs = std::filesystem;

// Keeps what it was told; lets go of it when it is told to.
class SlowFeed final : public journal::Feed {
 public:
  journal::FeedClass feed_class() const override { return journal::FeedClass::kGatesRemoval; }
  void take(uint64_t sequence, const conf::DeliveryEvent& event) override {
    last = sequence;
    events.push_back(event);
  }
  uint64_t through() const override { return done; }
  std::vector<conf::DeliveryEvent> events;
  uint64_t last = 0, done = 0;
};

size_t files_in(const std::string& path) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

class DeskTest : public testing::Test {
 protected:
  DeskTest() {
    settings.path = folder.string() + "/returns";
    settings.poll = std::chrono::milliseconds(20);
    journal.add(&feed);
  }
  std::unique_ptr<Desk> open() {
    auto tools = std::make_shared<ReadingTools>();
    tools->settings = settings;
    tools->qualifier = bounce::Qualifier::shipped();
    tools->sent = sent;
    Desk::Options options;
    options.tools = tools;
    options.journal = &journal;
    options.clock = &clock;
    options.wake = [this] { ++woken; };
    options.unmatched_octets = unmatched_octets;
    options.say = [this](const std::string& text) {
      const std::lock_guard lock(mutex);
      said.push_back(text);
    };
    auto desk = Desk::open(std::move(options));
    EXPECT_TRUE(desk.ok()) << desk.error().detail;
    return std::move(*desk);
  }
  // Bounded: ten seconds at most.
  template <typename Reached>
  static bool step_until(Desk* desk, const Reached& reached) {
    for (int i = 0; i < 1000 && !reached(); ++i) {
      desk->step();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return reached();
  }
  void offer(Desk* desk, conf::MessageId id, const std::string& text = "Subject: hello\r\n\r\nhello\r\n") {
    spool::MessageRecord record;
    record.id = id;
    record.recipients.resize(1);
    record.recipients[0].recipient.mailbox = *conf::Mailbox::parse("bounces+x@return.example");
    desk->offer(std::move(record), conf::Bytes(text), [this](conf::Result<spool::Receipt> result) {
      result.ok() ? ++stored : ++refused;
      if (!result.ok()) return;
      EXPECT_TRUE(fs::exists(settings.path + "/new/" + Maildir::name_of(result->id())));
    });
  }

  TemporaryFolder folder;
  conf::ReturnsSettings settings;
  uint64_t unmatched_octets = 1'000'000'000;
  conf::SystemClock clock;
  journal::Journal journal;
  SlowFeed feed;
  bounce::SentMemory* sent = nullptr;
  std::atomic<int> woken = 0;
  std::mutex mutex;
  std::vector<std::string> said;
  int stored = 0, refused = 0;
};

TEST_F(DeskTest, AMailIsOnDiskBeforeItsClientIsAnswered) {
  const auto desk = open();
  offer(desk.get(), 7);
  EXPECT_FALSE(desk->quiet());
  ASSERT_TRUE(step_until(desk.get(), [this] { return stored == 1; }));
  EXPECT_TRUE(desk->quiet());
}

TEST_F(DeskTest, AMailStaysUntilTheJournalIsDoneWithIt) {
  const auto desk = open();
  offer(desk.get(), 7);
  ASSERT_TRUE(step_until(desk.get(), [this] { return feed.events.size() == 1; }));
  EXPECT_EQ(feed.events[0].kind, conf::EventKind::kUnmatched);
  const std::string name = Maildir::name_of(7);
  for (int i = 0; i < 10; ++i) desk->step();
  EXPECT_TRUE(fs::exists(settings.path + "/new/" + name));
  feed.done = feed.last;
  EXPECT_TRUE(step_until(desk.get(), [&] { return fs::exists(feed.events[0].file); })) << feed.events[0].file;
  EXPECT_FALSE(fs::exists(settings.path + "/new/" + name));
  EXPECT_EQ(feed.events.size(), 1U) << "it is read once";
}

// A file stands where the folder should be; renaming fails until it is gone.
TEST_F(DeskTest, WhatCannotBePutAwayIsReadOnceAllTheSame) {
  settings.keep = std::chrono::hours(24);
  const auto desk = open();
  const std::string name = Maildir::name_of(7), unmatched = settings.path + "/.Unmatched/new";
  fs::remove(unmatched);
  std::ofstream(unmatched) << "in the way";
  feed.done = UINT64_MAX;
  offer(desk.get(), 7);
  ASSERT_TRUE(step_until(desk.get(), [this] {
    const std::lock_guard lock(mutex);
    return !said.empty();
  }));
  for (int i = 0; i < 20; ++i)
    step_until(desk.get(), [] { return true; }), std::this_thread::sleep_for(settings.poll);
  desk->step();
  EXPECT_EQ(feed.events.size(), 1U) << "its events were told";
  EXPECT_TRUE(fs::exists(settings.path + "/new/" + name));
  fs::remove(unmatched);
  fs::create_directory(unmatched);
  EXPECT_TRUE(step_until(desk.get(), [&] { return fs::is_regular_file(unmatched + '/' + name); }))
      << "it is tried again";
  EXPECT_EQ(feed.events.size(), 1U);
}

TEST_F(DeskTest, UnmatchedMailGoesToTheFolderOfChoice) {
  settings.unmatched = folder.string() + "/for people";
  settings.watch = {folder.string() + "/watched"};
  const auto desk = open();
  feed.done = UINT64_MAX;
  offer(desk.get(), 1);
  std::ofstream(folder.string() + "/watched/new/2.mail") << "Subject: hello\n\nhello\n";
  EXPECT_TRUE(step_until(desk.get(), [&] { return files_in(settings.unmatched + "/new") == 2; }));
  ASSERT_EQ(feed.events.size(), 2U);
  for (const conf::DeliveryEvent& event : feed.events)
    EXPECT_TRUE(event.file.starts_with(settings.unmatched + "/new/")) << event.file;
  EXPECT_FALSE(fs::exists(settings.path + "/.Unmatched"));
}

// Whatever its name: it would be read again and again.
TEST(MaildirTest, UnmatchedMailDoesNotGoToWhereItIsRead) {
  const TemporaryFolder folder;
  const std::string path = folder.string() + "/returns", other = folder.string() + "/other";
  ASSERT_TRUE(Maildir::open(path, true, other).ok());
  fs::create_directory_symlink(path, folder.string() + "/link");
  for (const std::string& same : {path + '/', folder.string() + "/link"}) {
    const conf::Result<Maildir> opened = Maildir::open(path, true, same);
    ASSERT_FALSE(opened.ok()) << same;
    EXPECT_NE(opened.error().detail.find("must be another one"), std::string::npos) << opened.error().detail;
  }
}

TEST(MaildirTest, ABatchIsDeliveredAsAWholeOrNotAtAll) {
  const TemporaryFolder folder;
  conf::Result<Maildir> maildir = Maildir::open(folder.string() + "/returns", true);
  ASSERT_TRUE(maildir.ok());
  const std::string fresh = folder.string() + "/returns/new/";
  fs::create_directories(fresh + Maildir::name_of(2) + "/in the way");
  EXPECT_FALSE(maildir->deliver({{1, "a: b\r\n", conf::Bytes("x")}, {2, "a: b\r\n", conf::Bytes("x")}}).ok());
  EXPECT_FALSE(fs::exists(fresh + Maildir::name_of(1))) << "its client was told to come again";
  fs::remove_all(fresh + Maildir::name_of(2));
  EXPECT_TRUE(maildir->deliver({{1, "a: b\r\n", conf::Bytes("x")}, {2, "a: b\r\n", conf::Bytes("x")}}).ok());
}

// Opening a FIFO waits for a writer; the destructor of the desk would wait for the thread that does.
TEST_F(DeskTest, WhatIsNoFileIsSaidAndHoldsNobodyUp) {
  const std::string watched = folder.string() + "/watched";
  settings.watch = {watched};
  const auto desk = open();
  const std::string fifo = watched + "/new/1.fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const bool told = step_until(desk.get(), [this] {
    const std::lock_guard lock(mutex);
    return !said.empty();
  });
  if (!told)
    ::close(::open(fifo.c_str(), O_RDWR | O_NONBLOCK));  // who waits for it goes on, and the test ends
  ASSERT_TRUE(told);
  {
    const std::lock_guard lock(mutex);
    EXPECT_NE(said[0].find("1.fifo: is not a regular file"), std::string::npos) << said[0];
  }
  std::ofstream(watched + "/new/2.mail") << "Subject: hello\n\nhello\n";
  EXPECT_TRUE(step_until(desk.get(), [this] { return feed.events.size() == 1; }));
}

// Strangers write it, and could fill the disk with it.
TEST_F(DeskTest, OfUnmatchedMailTheOldestGoesWhenItIsTooMuchAndThatIsSaidOnce) {
  unmatched_octets = 10 * 4096;
  const auto desk = open();
  feed.done = UINT64_MAX;
  for (conf::MessageId id = 1; id <= 14; ++id) {
    offer(desk.get(), id);
    const size_t count = id;
    ASSERT_TRUE(step_until(desk.get(), [&] { return feed.events.size() == count; }));
    // Each is put away before the next one comes: they go in their order.
    ASSERT_TRUE(step_until(desk.get(), [&] { return files_in(settings.path + "/new") == 0; }));
  }
  const std::string kept = settings.path + "/.Unmatched/new/";
  EXPECT_TRUE(step_until(desk.get(), [&] { return files_in(kept) <= 10; })) << files_in(kept);
  EXPECT_GE(files_in(kept), 9U);
  EXPECT_TRUE(fs::exists(kept + Maildir::name_of(14)));
  EXPECT_FALSE(fs::exists(kept + Maildir::name_of(1)));
  const std::lock_guard lock(mutex);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said[0].find("its oldest mails are removed"), std::string::npos) << said[0];
}

TEST(MaildirTest, UnmatchedMailIsBoundedAlsoWherePeopleSawIt) {
  const TemporaryFolder folder;
  conf::Result<Maildir> maildir = Maildir::open(folder.string() + "/returns", true);
  ASSERT_TRUE(maildir.ok());
  const std::string unmatched = folder.string() + "/returns/.Unmatched/";
  for (const char* name : {"cur/1:2,S", "new/2", "new/3"})
    std::ofstream(unmatched + name) << std::string(100'000, 'x');
  EXPECT_EQ(maildir->bound_unmatched(300'000), 0U);
  EXPECT_EQ(maildir->bound_unmatched(290'000), 1U);
  EXPECT_EQ(files_in(unmatched + "cur") + files_in(unmatched + "new"), 2U);
}

TEST(MaildirTest, AMailOfTheSameNameTakesNobodysPlace) {
  const TemporaryFolder folder;
  const std::string path = folder.string() + "/mail";
  conf::Result<Maildir> maildir = Maildir::open(path, false);
  ASSERT_TRUE(maildir.ok());
  for (const Fate fate : {Fate::kUnmatched, Fate::kKeep}) {
    for (const char* text : {"first", "second", "third"}) {
      std::ofstream(path + "/new/1") << text;
      EXPECT_TRUE(maildir->put_away("1", fate).ok());
      EXPECT_FALSE(fs::exists(path + "/new/1"));
    }
    EXPECT_TRUE(maildir->put_away("1", fate).ok()) << "it is gone";
  }
  const auto text_of = [&](const std::string& name) {
    std::ifstream in(path + name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(text_of("/.Unmatched/new/1"), "first");
  EXPECT_EQ(text_of("/.Unmatched/new/1-2"), "second");
  EXPECT_EQ(text_of("/.Unmatched/new/1-3"), "third");
  EXPECT_EQ(text_of("/cur/1:2,S"), "first");
  EXPECT_EQ(text_of("/cur/1-2:2,S"), "second");
  EXPECT_EQ(text_of("/cur/1-3:2,S"), "third");
}

TEST_F(DeskTest, WhatWasNotDoneWithIsReadAgainAfterTheNextStart) {
  {
    const auto desk = open();
    offer(desk.get(), 7);
    ASSERT_TRUE(step_until(desk.get(), [this] { return feed.events.size() == 1; }));
  }
  const auto desk = open();
  EXPECT_TRUE(step_until(desk.get(), [this] { return feed.events.size() == 2; }));
}

TEST_F(DeskTest, AMaildirOfAnotherIsWatched) {
  settings.watch = {folder.string() + "/other"};
  settings.keep = std::chrono::hours(24);
  const auto desk = open();
  std::ofstream(folder.string() + "/other/new/1.a")
      << "Return-Path: <>\nFrom: a@b.test\nTo: x@y.test\n"
         "Auto-Submitted: auto-replied\nSubject: away\n\naway\n";
  ASSERT_TRUE(step_until(desk.get(), [this] { return feed.events.size() == 1; }));
  feed.done = feed.last;
  EXPECT_TRUE(step_until(desk.get(), [&] { return files_in(folder.string() + "/other/new") == 0; }));
}

TEST_F(DeskTest, MailThatPeopleHaveReadInAMaildirOfTheirsStays) {
  settings.watch = {folder.string() + "/other"};
  open();  // makes the folders
  for (const std::string& path : {settings.path, settings.watch[0]})
    std::ofstream(path + "/cur/1.read:2,S") << "x";
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // times of files count in seconds here
  const auto desk = open();
  offer(desk.get(), 7);
  ASSERT_TRUE(step_until(desk.get(), [this] { return !fs::exists(settings.path + "/cur/1.read:2,S"); }));
  EXPECT_TRUE(fs::exists(settings.watch[0] + "/cur/1.read:2,S"));
}

TEST_F(DeskTest, TooManyThatWaitAreRefusedAndNotLost) {
  settings.queue = 2;
  const auto desk = open();
  for (conf::MessageId id = 1; id <= 200; ++id) offer(desk.get(), id);
  ASSERT_TRUE(step_until(desk.get(), [this] { return stored + refused == 200; }));
  EXPECT_GT(refused, 0);
  EXPECT_TRUE(step_until(desk.get(), [this] { return feed.events.size() == static_cast<size_t>(stored); }));
}

// Reading a bounce takes as long as the test says.
class SlowMemory final : public bounce::SentMemory {
 public:
  using Found = std::optional<bounce::SentMail>;
  Found find(uint64_t, std::string_view) override { return std::nullopt; }
  Found of_message(uint64_t) override { return std::nullopt; }
  Found fitting(uint64_t, const Fits&) override { return std::nullopt; }
  Found with_id(std::string_view, std::string_view, conf::WallTime) override { return std::nullopt; }
  Found with_id(std::string_view, conf::WallTime, bool*) override { return std::nullopt; }
  Found latest_to(std::string_view, conf::WallTime) override {
    ++asked;
    for (int i = 0; i < 1000 && let < asked; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return std::nullopt;
  }
  std::atomic<int> asked = 0, let = 0;
};

TEST_F(DeskTest, AClientNeedNotWaitUntilAllThatCameBeforeIsRead) {
  const std::string text =
      "Return-Path: <>\r\nFrom: MAILER-DAEMON@x.test\r\nSubject: failure notice\r\n\r\n"
      "Could not be delivered:\r\n<u@x.test>: 550 5.1.1 no such user\r\n";
  SlowMemory memory;
  sent = &memory;
  settings.poll = std::chrono::hours(1);  // a look that is due reads one mail even while clients wait
  const auto desk = open();
  const auto being_read = [&](int count) {
    return step_until(desk.get(), [&] { return memory.asked == count; });
  };
  offer(desk.get(), 1, text);
  ASSERT_TRUE(being_read(1));
  for (conf::MessageId id = 2; id <= 4; ++id) offer(desk.get(), id, text);  // one batch
  memory.let = 1;
  ASSERT_TRUE(being_read(2));
  offer(desk.get(), 5, text);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  memory.let = 2;
  ASSERT_TRUE(being_read(3));
  EXPECT_TRUE(fs::exists(settings.path + "/new/" + Maildir::name_of(5)))
      << "two of the batch are not read yet";
  memory.let = 100;
  EXPECT_TRUE(step_until(desk.get(), [this] { return stored == 5 && feed.events.size() == 5; }));
}

TEST_F(DeskTest, AFolderThatCannotBeWrittenIsToldAndTheClientHearsOfIt) {
  const auto desk = open();
  fs::remove_all(settings.path + "/tmp");
  offer(desk.get(), 7);
  ASSERT_TRUE(step_until(desk.get(), [this] { return refused == 1; }));
  const std::lock_guard lock(mutex);
  ASSERT_FALSE(said.empty());
  EXPECT_NE(said[0].find("/tmp/"), std::string::npos) << said[0];
}

TEST_F(DeskTest, WhatCouldNotBeKeptTakesNoRoom) {
  const auto desk = open();
  fs::remove_all(settings.path + "/new");
  offer(desk.get(), 7);
  ASSERT_TRUE(step_until(desk.get(), [this] { return refused == 1; }));
  EXPECT_EQ(files_in(settings.path + "/tmp"), 0U);
}

TEST_F(DeskTest, WhatWasNeverAcknowledgedIsNotRead) {
  open();
  std::ofstream(settings.path + "/tmp/half") << "Subject: half";
  const auto desk = open();
  EXPECT_FALSE(fs::exists(settings.path + "/tmp/half"));
}

}  // namespace
}  // namespace relay::returns
