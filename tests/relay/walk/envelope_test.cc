#include "relay/walk/envelope.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

conf::Mailbox mailbox(const std::string& text) {
  conf::Result<conf::Mailbox> parsed = conf::Mailbox::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.value();
}

queue::Message message_to(const std::vector<std::string>& recipients) {
  spool::MessageRecord record;
  record.envelope.reverse_path = mailbox("news@shop.test");
  record.envelope.envid = "E1";
  for (const std::string& text : recipients) {
    spool::RecipientRecord recipient;
    recipient.recipient.mailbox = mailbox(text);
    record.recipients.push_back(recipient);
  }
  queue::Message message(std::move(record), conf::Bytes("Subject: x\r\n\r\nx\r\n"));
  message.signature = "DKIM-Signature: x\r\n";
  return message;
}

// Recipients whose local parts begin with the same letter share a return path.
class ByLetter final : public ReturnPaths {
 public:
  ReturnPath return_path(const spool::MessageRecord&,
                         const spool::RecipientRecord& recipient) const override {
    const std::string letter(1, recipient.recipient.mailbox.text()[0]);
    return {mailbox("back-" + letter + "@shop.test"), "X-Letter: " + letter + "\r\n"};
  }
};

TEST(Envelope, TakesAsManyAsOneTransactionMayHave) {
  const queue::Message message = message_to({"a@x.test", "b@x.test", "c@x.test"});
  std::vector<uint32_t> waiting = {0, 2, 1}, taken;
  const smtp::Transaction first = EnvelopeComposer(nullptr).compose(message, 2, &waiting, &taken);
  EXPECT_EQ(taken, (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(waiting, (std::vector<uint32_t>{1}));
  ASSERT_EQ(first.recipients.size(), 2U);
  EXPECT_EQ(first.recipients[1].mailbox.text(), "c@x.test");
  EXPECT_EQ(first.reverse_path.text(), "news@shop.test");
  EXPECT_EQ(first.envid, "E1");
  EXPECT_EQ(first.header_prefix, "DKIM-Signature: x\r\n");
  EXPECT_EQ(first.body.view(), message.body.view());
}

TEST(Envelope, OneTransactionHasOneReversePath) {
  const queue::Message message = message_to({"a1@x.test", "a2@x.test", "b1@x.test", "a3@x.test"});
  const ByLetter paths;
  const EnvelopeComposer composer(&paths);
  std::vector<uint32_t> waiting = {0, 1, 2, 3}, taken;
  EXPECT_EQ(composer.compose(message, 100, &waiting, &taken).reverse_path.text(), "back-a@shop.test");
  EXPECT_EQ(taken, (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(composer.compose(message, 100, &waiting, &taken).reverse_path.text(), "back-b@shop.test");
  EXPECT_EQ(taken, (std::vector<uint32_t>{2}));
  EXPECT_EQ(composer.compose(message, 100, &waiting, &taken).reverse_path.text(), "back-a@shop.test");
  EXPECT_TRUE(waiting.empty());
}

TEST(Envelope, TheNullReversePathStaysNull) {
  queue::Message message = message_to({"a@x.test"});
  message.record.envelope.reverse_path = {};
  const ByLetter paths;
  std::vector<uint32_t> waiting = {0}, taken;
  EXPECT_TRUE(EnvelopeComposer(&paths).compose(message, 1, &waiting, &taken).reverse_path.is_null());
}

}  // namespace
}  // namespace relay
