// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline/cache/call_cache.hpp"

#include <algorithm>
#include <cassert>

namespace backplane {
namespace {

constexpr std::uint64_t kEventBytes = 64;           // beside its texts
constexpr std::uint64_t kReserveBytes = 16 * 1024;  // at a time

std::uint64_t size_of(const bp_event& event) {
  std::uint64_t bytes = kEventBytes + event.data.size + event.detail.size + event.logprobs.size;
  if (event.tool_call != nullptr) bytes += event.tool_call->id.size + event.tool_call->name.size;
  return bytes;
}

}  // namespace

// Outlives a call that has gone until what it was to hear has come.
class CallCache::Waiter final : public CacheWaiter {
 public:
  explicit Waiter(CallCache& owner)
      : owner_(&owner),
        cache_(owner.cache_),
        loops_(owner.loops_),
        loop_(owner.loop_),
        key_(owner.key_) {}

  void tell(CacheVerdict verdict) override {
    verdict_ = std::move(verdict);
    loops_.post(loop_, &arrive, this);
  }
  void forget() { owner_ = nullptr; }

 private:
  static void arrive(void* argument) {
    const std::unique_ptr<Waiter> self(static_cast<Waiter*>(argument));
    if (self->owner_ != nullptr) {
      self->owner_->waiter_ = nullptr;
      self->owner_->take(std::move(self->verdict_));
    } else if (self->verdict_.kind == CacheVerdict::Kind::kLead) {
      self->cache_.end_flight(self->key_, FlightEnd::kLeft);
    }
  }

  CallCache* owner_;  // of its loop alone
  ResponseCache& cache_;
  const bp_loop_service& loops_;
  bp_loop* const loop_;
  const CacheKey key_;
  CacheVerdict verdict_;
};

CallCache::CallCache(ResponseCache& cache, const bp_loop_service& loops, bp_loop* loop,
                     const CacheKey& key)
    : cache_(cache), loops_(loops), loop_(loop), key_(key) {}

CallCache::~CallCache() {
  end(FlightEnd::kLeft);
}

bool CallCache::find(const Question& question) {
  SharedAnswer answer = cache_.find(key_, question.now_ns, question.age_max_ns);
  if (answer == nullptr) return false;
  take_answer(std::move(answer));
  return true;
}

CallCache::Next CallCache::enter(const Question& question, std::function<void(Next)> told) {
  if (!question.shares) {
    record();
    return Next::kTry;
  }
  auto waiter = std::make_unique<Waiter>(*this);
  ResponseCache::Entrance entrance =
      cache_.enter(key_, question.now_ns, question.age_max_ns, *waiter);
  if (entrance.answer != nullptr) return take_answer(std::move(entrance.answer));
  if (entrance.leads) {
    leads_ = true;
    record();
    return Next::kTry;
  }
  told_ = std::move(told);
  waiter_ = waiter.release();
  return Next::kWait;
}

CallCache::Next CallCache::take_answer(SharedAnswer answer) {
  answer_ = std::move(answer);
  reader_.emplace(*answer_);
  return Next::kReplay;
}

void CallCache::take(CacheVerdict verdict) {
  const auto told = std::move(told_);
  if (verdict.kind == CacheVerdict::Kind::kAnswer) {
    shared_ = true;
    return told(take_answer(std::move(verdict.answer)));
  }
  leads_ = verdict.kind == CacheVerdict::Kind::kLead;
  record();
  told(Next::kTry);
}

CacheResult CallCache::result() const {
  if (answer_ == nullptr) return CacheResult::kMiss;
  return shared_ ? CacheResult::kShared : CacheResult::kHit;
}

void CallCache::record() {
  recording_ = std::make_unique<CachedAnswer>();
  recorded_bytes_max_ = cache_.answer_bytes_max();
}

void CallCache::note(const bp_event& event) {
  if (recording_ == nullptr || event.type == BP_EVENT_HEAD || event.type == BP_EVENT_END) return;
  recorded_bytes_ += size_of(event);
  bool fits = recorded_bytes_ <= recorded_bytes_max_;
  if (fits && recorded_bytes_ > reserved_bytes_) {
    const std::uint64_t more = std::max(kReserveBytes, recorded_bytes_ - reserved_bytes_);
    fits = cache_.reserve(more);
    if (fits) reserved_bytes_ += more;
  }
  if (fits) return recording_->add(event);
  stop_recording();
  if (std::exchange(leads_, false)) cache_.end_flight(key_, FlightEnd::kUnshareable);
}

void CallCache::complete(const bp_usage& usage, bp_str end, std::int64_t now_ns) {
  if (recording_ == nullptr) return;
  recording_->usage = usage;
  recording_->end.assign(end.data, end.size);
  recording_->made_ns = now_ns;
  recording_->close();
  // Shared by the cache and the calls that wait.
  const SharedAnswer answer(std::move(recording_));
  stop_recording();
  cache_.keep(key_, answer);
  if (std::exchange(leads_, false)) cache_.land(key_, answer);
}

void CallCache::stop_recording() {
  recording_.reset();
  cache_.give_back(std::exchange(reserved_bytes_, 0));
}

void CallCache::end(FlightEnd how) {
  if (Waiter* const waiter = std::exchange(waiter_, nullptr)) {
    if (cache_.leave(key_, *waiter)) {
      delete waiter;
    } else {
      waiter->forget();
    }
  }
  stop_recording();
  if (std::exchange(leads_, false)) cache_.end_flight(key_, how);
}

}  // namespace backplane
