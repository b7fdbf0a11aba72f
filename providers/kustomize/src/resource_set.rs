//! The objects of one layer in order, found by id in constant time.

use std::collections::HashMap;

use engine_core::diagnostic::{Diagnostic, Diagnostics};

use crate::codes;
use crate::resource::{Id, Resource};

/// Objects in the order they were added.
///
/// Two indexes make a build linear in the number of objects. Both are made when first asked for. Looking an object up
/// checks it, so an index may hold ids that an object no longer has, but never lacks one that it has.
#[derive(Debug, Default)]
pub(crate) struct ResourceSet {
    /// A removed object leaves its slot empty.
    slots: Vec<Option<Resource>>,
    /// The slots of each present id.
    present: Option<HashMap<Id, Vec<usize>>>,
    /// The slots of each id, present or previous.
    ever: Option<HashMap<Id, Vec<usize>>>,
}

impl ResourceSet {
    pub(crate) fn new(resources: Vec<Resource>) -> Self {
        Self { slots: resources.into_iter().map(Some).collect(), ..Self::default() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.slots.iter().flatten()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns the slots in use.
    pub(crate) fn slots(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|slot| self.slots[*slot].is_some()).collect()
    }

    pub(crate) fn get(&self, slot: usize) -> Option<&Resource> {
        self.slots.get(slot)?.as_ref()
    }

    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.slots.into_iter().flatten().collect()
    }

    /// Changes every object, keeping ids.
    ///
    /// # Errors
    /// The first fault of `change`.
    pub(crate) fn change_each(
        &mut self,
        mut change: impl FnMut(&mut Resource) -> Result<(), Diagnostics>,
    ) -> Result<(), Diagnostics> {
        self.slots.iter_mut().flatten().try_for_each(&mut change)
    }

    /// Changes one object, whose id may change.
    ///
    /// # Errors
    /// The fault of `change`.
    pub(crate) fn change(
        &mut self,
        slot: usize,
        change: impl FnOnce(&mut Resource) -> Result<(), Diagnostics>,
    ) -> Result<(), Diagnostics> {
        let Some(resource) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return Ok(());
        };
        change(resource)?;
        resource.refresh_id();
        self.record(slot);
        Ok(())
    }

    /// Changes every object; ids may change.
    ///
    /// # Errors
    /// The first fault of `change`.
    pub(crate) fn change_all(
        &mut self,
        mut change: impl FnMut(&mut Resource) -> Result<(), Diagnostics>,
    ) -> Result<(), Diagnostics> {
        // Making the indexes anew costs less than keeping them up with every object.
        self.present = None;
        self.ever = None;
        self.slots.iter_mut().flatten().try_for_each(|resource| {
            change(resource)?;
            resource.refresh_id();
            Ok(())
        })
    }

    pub(crate) fn remove(&mut self, slot: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = None;
        }
    }

    /// Puts an object into the slot of another.
    pub(crate) fn replace(&mut self, slot: usize, resource: Resource) {
        if let Some(place) = self.slots.get_mut(slot) {
            place.insert(resource).refresh_id();
            self.record(slot);
        }
    }

    /// Adds an object.
    ///
    /// # Errors
    /// An object with the same id is there already.
    pub(crate) fn add(&mut self, resource: Resource) -> Result<(), Diagnostics> {
        if let Some(other) = self.with_id(resource.id()) {
            return Err(duplicate(&resource, other).into());
        }
        self.slots.push(Some(resource));
        self.record(self.slots.len() - 1);
        Ok(())
    }

    /// Checks that no two objects have the same id.
    ///
    /// # Errors
    /// The first object that has the id of one before it.
    pub(crate) fn check_unique(&self) -> Result<(), Diagnostics> {
        let mut seen: HashMap<&Id, &Resource> = HashMap::with_capacity(self.slots.len());
        for resource in self.iter() {
            if let Some(first) = seen.insert(resource.id(), resource) {
                return Err(duplicate(resource, first).into());
            }
        }
        Ok(())
    }

    /// Adds all objects of another set.
    ///
    /// # Errors
    /// The first object whose id is there already.
    pub(crate) fn add_all(&mut self, other: Self) -> Result<(), Diagnostics> {
        other.into_resources().into_iter().try_for_each(|resource| self.add(resource))
    }

    /// Returns the first object that has this id now.
    fn with_id(&mut self, id: &Id) -> Option<&Resource> {
        let slots = &self.slots;
        let index = self.present.get_or_insert_with(|| index(slots, |resource| vec![resource.id().clone()]));
        let mut found = index.get(id)?.iter().filter_map(|slot| slots[*slot].as_ref());
        found.find(|resource| resource.id() == id)
    }

    /// Returns the slots of the objects that have or had this id.
    pub(crate) fn with_id_ever(&mut self, id: &Id) -> Vec<usize> {
        let slots = &self.slots;
        let index = self.ever.get_or_insert_with(|| index(slots, all_ids));
        let mut found = index.get(id).cloned().unwrap_or_default();
        found.retain(|slot| slots[*slot].as_ref().is_some_and(|resource| all_ids(resource).contains(id)));
        found
    }

    /// Notes a slot's ids in the indexes that exist.
    fn record(&mut self, slot: usize) {
        let Some(resource) = &self.slots[slot] else { return };
        if let Some(present) = &mut self.present {
            note(present, resource.id().clone(), slot);
        }
        if let Some(ever) = &mut self.ever {
            for id in all_ids(resource) {
                note(ever, id, slot);
            }
        }
    }
}

fn all_ids(resource: &Resource) -> Vec<Id> {
    resource.previous_ids().chain([resource.id().clone()]).collect()
}

fn index(slots: &[Option<Resource>], ids: impl Fn(&Resource) -> Vec<Id>) -> HashMap<Id, Vec<usize>> {
    let mut index = HashMap::with_capacity(slots.len());
    for (slot, resource) in slots.iter().enumerate() {
        for id in resource.iter().flat_map(&ids) {
            note(&mut index, id, slot);
        }
    }
    index
}

fn note(index: &mut HashMap<Id, Vec<usize>>, id: Id, slot: usize) {
    let slots = index.entry(id).or_default();
    if !slots.contains(&slot) {
        slots.push(slot);
    }
}

fn duplicate(second: &Resource, first: &Resource) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_OBJECT, format!("{} is given twice", second.id()))
        .at(second.origin.clone())
        .label(first.origin.clone(), "first here")
}
