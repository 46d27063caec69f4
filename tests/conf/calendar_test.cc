#include "conf/vocab/calendar.h"

#include <gtest/gtest.h>

namespace conf {
namespace {

TEST(Calendar, Rfc5322_3_3_DateTime) {
  EXPECT_EQ(mail_date(from_unix_micros(0)), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(mail_date(from_unix_micros(-1)), "Wed, 31 Dec 1969 23:59:59 +0000");
  EXPECT_EQ(mail_date(from_unix_micros(951'782'400'000'000)), "Tue, 29 Feb 2000 00:00:00 +0000");
  EXPECT_EQ(mail_date(from_unix_micros(1'795'515'385'000'000)), "Tue, 24 Nov 2026 10:16:25 +0000");
}

TEST(Calendar, WhatFourDigitsCannotSayIsCut) {
  EXPECT_EQ(mail_date(from_unix_micros(INT64_MAX)), "Fri, 31 Dec 9999 23:59:59 +0000");
  EXPECT_EQ(mail_date(from_unix_micros(INT64_MIN)), "Sat, 01 Jan 0000 00:00:00 +0000");
}

}  // namespace
}  // namespace conf
