// Random grants and changes of folders against a naive model of access: sets of letters, and no row anywhere.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "storage/store/rights.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::RightsChange;
using storage::Actor;
using storage::Errc;
using storage::Rights;

const std::string kLetters = "lrswipkxtean";
const std::string kOwner = "tel:+15550100111";
const std::vector<std::string> kWho{"tel:+15550100222", "sip:bea@example.com", "tel:+15550100333",
                                    "anyone",           "authenticated",       kOwner};
const std::vector<std::string> kTops{"a", "b", "c"};
const std::vector<std::string> kPaths{"a", "b", "c", "a/x", "a/y", "b/x", "c/x"};

using Letters = std::set<char>;
using ModelAcl = std::map<std::string, Letters>;  ///< by identifier, with its '-'

struct Person {
  std::vector<std::string> names;
  Actor actor;
  bool owner = false;
};

/// What a person may do, letter by letter.
std::string MayDo(const ModelAcl& acl, const Person& person) {
  std::string out;
  for (const char letter : kLetters) {
    bool given = person.owner && !acl.contains(kOwner);
    bool denied = false;
    for (const auto& name : person.names) {
      const auto has = [&](const std::string& identifier) {
        const auto at = acl.find(identifier);
        return at != acl.end() && at->second.contains(letter);
      };
      given = given || has(name);
      denied = denied || has("-" + name);
    }
    const bool kept = person.owner && (letter == 'l' || letter == 'a');
    if (kept || (given && !denied)) out += letter;
  }
  return out;
}

class AccessModel {
 public:
  AccessModel() {
    storage::StoreOptions options = PlainMail();
    options.profile.sharing = storage::Sharing::kAnyone;
    store_ = std::make_unique<TempStore>(Driver::kMemory, options);
    ann_ = Must((*store_)->CreateAccount({.address = kOwner}));
    const auto bea =
        Must((*store_)->CreateAccount({.address = "tel:+15550100222", .aliases = {"sip:bea@example.com"}}));
    const auto cem = Must((*store_)->CreateAccount({.address = "tel:+15550100333"}));
    people_.push_back({{kOwner, "anyone", "authenticated"}, {}, true});
    people_.push_back({{"tel:+15550100222", "sip:bea@example.com", "anyone", "authenticated"}, Guest(bea)});
    people_.push_back({{"tel:+15550100333", "anyone", "authenticated"}, Guest(cem)});
  }

  void Step() {
    const auto path = *rc::gen::elementOf(kPaths);
    switch (*rc::gen::inRange(0, 8)) {
      case 0: return Create(path);
      case 1: return Delete(path);
      case 2: return Rename(*rc::gen::elementOf(kTops), *rc::gen::elementOf(kTops));
      case 3: return DeleteAcl(path, Identifier());
      default: return SetAcl(path, Identifier());
    }
  }

  void Check() {
    (*store_)->DrainJanitor();
    for (const Person& person : people_) {
      std::set<std::string> seen;
      for (const auto& path : kPaths) {
        if (!model_.contains(path)) CheckOne(path, person, "");
      }
      for (const auto& [path, acl] : model_) {
        const std::string may = MayDo(acl, person);
        CheckOne(path, person, may);
        if (may.find('l') != std::string::npos) seen.insert(path);
      }
      if (person.owner) continue;
      std::set<std::string> listed;
      for (const auto& folder : Must((*store_)->ListShared(*person.actor.guest))) listed.insert(folder.path);
      RC_ASSERT(listed == seen);
    }
  }

 private:
  Actor Guest(storage::AccountId who) {
    const auto info = Must((*store_)->GetAccount(who));
    return {storage::Origin{1},
            std::make_shared<const storage::Principal>(info.id, info.address, info.aliases)};
  }
  static std::string Identifier() {
    return (*rc::gen::inRange(0, 3) == 0 ? "-" : "") + *rc::gen::elementOf(kWho);
  }

  void CheckOne(const std::string& path, const Person& person, const std::string& may) {
    storage::MailStore& store = **store_;
    const bool told = may.find_first_of("lrikxa") != std::string::npos;
    const auto rights = store.MyRights(ann_, path, person.actor);
    RC_ASSERT(rights.has_value() == told);
    if (rights) RC_ASSERT(*rights == *Rights::Parse(may));
    const auto read = ErrorOf(store.GetFolder(ann_, path, person.actor));
    if (may.find('r') != std::string::npos) {
      RC_ASSERT(!read.has_value());
    } else {
      RC_ASSERT(read == (may.find('l') != std::string::npos ? Errc::kNoPermission : Errc::kNoSuchFolder));
    }
  }

  void Create(const std::string& path) {
    if (model_.contains(path)) return;
    Must((*store_)->CreateFolder(ann_, path, {}, Operator()));
    const auto slash = path.find('/');
    const std::string top = path.substr(0, slash);
    model_.try_emplace(top);
    if (slash != std::string::npos) model_[path] = model_[top];
  }

  void Delete(const std::string& path) {
    const auto next = model_.upper_bound(path);
    const bool inferiors = next != model_.end() && next->first.starts_with(path + "/");
    if (!model_.contains(path) || inferiors) return;
    Must((*store_)->DeleteFolder(ann_, path, Operator()));
    model_.erase(path);
  }

  void Rename(const std::string& from, const std::string& to) {
    if (from == to || !model_.contains(from) || model_.contains(to)) return;
    Must((*store_)->RenameFolder(ann_, from, to, Operator()));
    std::map<std::string, ModelAcl> moved;
    for (auto& [path, acl] : model_)
      moved[path.starts_with(from) ? to + path.substr(from.size()) : path] = acl;
    model_ = std::move(moved);
  }

  void SetAcl(const std::string& path, const std::string& identifier) {
    RightsChange change;
    change.op =
        *rc::gen::element(RightsChange::Op::kReplace, RightsChange::Op::kAdd, RightsChange::Op::kRemove);
    change.rights = Rights::FromBits(static_cast<std::uint32_t>(*rc::gen::inRange(0, 1 << 12)));
    const auto done = (*store_)->SetAcl(ann_, path, identifier, change, Operator());
    RC_ASSERT(done.has_value() == model_.contains(path));
    if (!done) return;
    ModelAcl& acl = model_[path];
    Letters letters;
    if (acl.contains(identifier))
      letters = acl[identifier];
    else if (identifier == kOwner)
      letters = Letters(kLetters.begin(), kLetters.end());
    if (change.op == RightsChange::Op::kReplace) letters.clear();
    for (std::size_t i = 0; i < kLetters.size(); ++i) {
      if ((change.rights.bits() >> i & 1) == 0) continue;
      if (change.op == RightsChange::Op::kRemove)
        letters.erase(kLetters[i]);
      else
        letters.insert(kLetters[i]);
    }
    acl[identifier] = letters;
  }

  void DeleteAcl(const std::string& path, const std::string& identifier) {
    const auto done = (*store_)->DeleteAcl(ann_, path, identifier, Operator());
    RC_ASSERT(done.has_value() == model_.contains(path));
    if (done) model_[path].erase(identifier);
  }

  static Actor Operator() { return Actor({}, storage::Role::kOperator); }

  std::unique_ptr<TempStore> store_;
  storage::AccountId ann_;
  std::vector<Person> people_;
  std::map<std::string, ModelAcl> model_;
};

RC_GTEST_PROP(AclProperty, RightsAreWhatANaiveModelSays, ()) {
  AccessModel model;
  const int steps = *rc::gen::inRange(1, 40);
  for (int i = 0; i < steps; ++i) model.Step();
  model.Check();
}

}  // namespace
}  // namespace tests
