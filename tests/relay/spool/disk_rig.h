// A spool on disk in a folder of its own, which a test opens as often as it likes.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "relay/spool/rocks_spool.h"
#include "tests/relay/spool/spool_calls.h"
#include "tests/temporary_folder.h"

namespace relay::spool {

class SpoolOnDisk : public testing::Test {
 protected:
  conf::SpoolSettings settings() const {
    conf::SpoolSettings settings;
    settings.path = folder_;
    settings.reserve_bytes = 0;
    return settings;
  }
  // Closes it first where it is open.
  void open() {
    spool_.reset();
    auto opened = RocksSpool::open(settings());
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    spool_ = std::move(*opened);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Spool> spool_;
};

}  // namespace relay::spool
