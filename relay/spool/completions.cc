#include "relay/spool/completions.h"

#include <iterator>
#include <utility>

namespace relay::spool {

void Completions::on_ready(std::function<void()> wake) {
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    if (!ready_.empty()) call = wake_;
  }
  if (call) call();
}

void Completions::push(std::vector<Completion> ready) {
  if (ready.empty()) return;
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) {
      ready_ = std::move(ready);
      call = wake_;
    } else {
      ready_.insert(ready_.end(), std::make_move_iterator(ready.begin()),
                    std::make_move_iterator(ready.end()));
    }
  }
  if (call) call();
}

void Completions::push(Completion ready) {
  std::vector<Completion> one;
  one.push_back(std::move(ready));
  push(std::move(one));
}

size_t Completions::drain(size_t most) {
  std::vector<Completion> ready;
  {
    const std::lock_guard lock(mutex_);
    ready.swap(ready_);
  }
  size_t count = 0, work = 0;
  for (; count < ready.size() && (count == 0 || work + ready[count].work <= most); ++count) {
    work += ready[count].work;
    ready[count].run();
  }
  if (count == ready.size()) return count;
  ready.erase(ready.begin(), ready.begin() + static_cast<ptrdiff_t>(count));
  std::function<void()> call;
  {
    const std::lock_guard lock(mutex_);
    ready.insert(ready.end(), std::make_move_iterator(ready_.begin()), std::make_move_iterator(ready_.end()));
    ready_.swap(ready);
    call = wake_;
  }
  if (call) call();
  return count;
}

void Completions::clear() {
  std::vector<Completion> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(ready_);
}

}  // namespace relay::spool
