//! The minimum cut of a grid of pixels, each linked to its eight neighbours and to two terminals.
//!
//! The algorithm is that of Boykov and Kolmogorov, "An Experimental Comparison of Min-Cut/Max-Flow
//! Algorithms for Energy Minimization in Vision" (PAMI 2004): two search trees grow from the
//! terminals until they touch, the path is filled, and what lost its parent looks for another.
//! The general crates keep an adjacency map a node and are slower by an order of magnitude.

use std::collections::VecDeque;

use crate::segment::{Cancel, Result};

/// Columns and rows from a pixel to its eight neighbours; the way back from `d` is `7 - d`.
pub const DIRECTIONS: [(i32, i32); 8] = [
    (-1, -1),
    (0, -1),
    (1, -1),
    (-1, 0),
    (1, 0),
    (-1, 1),
    (0, 1),
    (1, 1),
];

const NOBODY: u32 = u32::MAX;
/// Values of `parent` beside the eight directions.
const TERMINAL: u8 = 8;
const ORPHAN: u8 = 9;
const FREE: u8 = 10;
/// Augmentations between two looks at whether the cut is still wanted: less than a millisecond.
const LOOK_UP: u32 = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tree {
    Source,
    Sink,
}

#[derive(Debug, Clone)]
struct Node {
    /// What may still flow to each neighbour.
    residual: [i32; 8],
    neighbour: [u32; 8],
    /// What may still flow from the source (positive) or to the sink (negative).
    terminal: i32,
    /// When `distance` was found to be true, in augmentations.
    stamp: u32,
    /// Steps to the terminal of its tree.
    distance: u32,
    parent: u8,
    tree: Tree,
    queued: bool,
}

/// Nodes with up to eight links each; a node's side of the minimum cut is what is asked.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    active: VecDeque<u32>,
    orphans: VecDeque<u32>,
    time: u32,
}

impl Graph {
    pub fn new(nodes: usize) -> Self {
        let node = Node {
            residual: [0; 8],
            neighbour: [NOBODY; 8],
            terminal: 0,
            stamp: 0,
            distance: 0,
            parent: FREE,
            tree: Tree::Source,
            queued: false,
        };
        Self {
            nodes: vec![node; nodes],
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            time: 0,
        }
    }

    /// Links two nodes in both directions; `direction` is that of `to` as seen from `from`.
    pub fn link(&mut self, from: u32, to: u32, direction: usize, weight: i32) {
        let back = 7 - direction;
        let node = &mut self.nodes[from as usize];
        node.neighbour[direction] = to;
        node.residual[direction] = weight;
        let node = &mut self.nodes[to as usize];
        node.neighbour[back] = from;
        node.residual[back] = weight;
    }

    /// Adds what it costs to cut the node from the source, less what it costs to cut it from the sink.
    pub fn pull(&mut self, node: u32, towards_source: i32) {
        let terminal = &mut self.nodes[node as usize].terminal;
        *terminal = terminal.saturating_add(towards_source);
    }

    /// Finds the cut and tells for each node whether it lies on the source's side.
    pub fn cut(mut self, cancel: &Cancel) -> Result<Vec<bool>> {
        self.plant();
        let mut current = None;
        while let Some(node) = current.take().or_else(|| self.next_active()) {
            self.time += 1;
            if self.time.is_multiple_of(LOOK_UP) {
                cancel.check()?;
            }
            let Some((from, direction)) = self.grow(node) else {
                continue;
            };
            self.augment(from, direction);
            while let Some(orphan) = self.orphans.pop_front() {
                self.adopt(orphan);
            }
            if self.nodes[node as usize].parent != FREE {
                current = Some(node);
            }
        }
        let is_source = |n: &Node| n.parent != FREE && n.tree == Tree::Source;
        Ok(self.nodes.iter().map(is_source).collect())
    }

    fn plant(&mut self) {
        for (i, node) in self.nodes.iter_mut().enumerate() {
            if node.terminal != 0 {
                node.tree = if node.terminal > 0 {
                    Tree::Source
                } else {
                    Tree::Sink
                };
                node.parent = TERMINAL;
                node.distance = 1;
                node.queued = true;
                self.active.push_back(i as u32);
            }
        }
    }

    fn activate(&mut self, node: u32) {
        let n = &mut self.nodes[node as usize];
        if !n.queued {
            n.queued = true;
            self.active.push_back(node);
        }
    }

    fn next_active(&mut self) -> Option<u32> {
        while let Some(node) = self.active.pop_front() {
            let n = &mut self.nodes[node as usize];
            n.queued = false;
            if n.parent != FREE {
                return Some(node);
            }
        }
        None
    }

    /// What may flow along the tree's own direction between a node and its neighbour.
    fn outward(&self, tree: Tree, node: u32, direction: usize) -> i32 {
        match tree {
            Tree::Source => self.nodes[node as usize].residual[direction],
            Tree::Sink => {
                let other = self.nodes[node as usize].neighbour[direction];
                self.nodes[other as usize].residual[7 - direction]
            }
        }
    }

    /// Takes in free neighbours; returns the link where the trees touch, from source to sink.
    fn grow(&mut self, node: u32) -> Option<(u32, usize)> {
        let Node {
            tree,
            stamp,
            distance,
            neighbour,
            ..
        } = self.nodes[node as usize];
        for (direction, other) in neighbour.into_iter().enumerate() {
            if other == NOBODY || self.outward(tree, node, direction) == 0 {
                continue;
            }
            let o = &mut self.nodes[other as usize];
            if o.parent == FREE {
                o.tree = tree;
                o.parent = 7 - direction as u8;
                o.stamp = stamp;
                o.distance = distance + 1;
                self.activate(other);
            } else if o.tree != tree {
                // The node may have more such neighbours: it stays active.
                return Some(match tree {
                    Tree::Source => (node, direction),
                    Tree::Sink => (other, 7 - direction),
                });
            } else if o.stamp <= stamp && o.distance > distance + 1 {
                // Shorter paths to the terminal make fewer orphans.
                o.parent = 7 - direction as u8;
                o.stamp = stamp;
                o.distance = distance + 1;
            }
        }
        None
    }

    /// Sends as much as fits through the link and both trees.
    fn augment(&mut self, from: u32, direction: usize) {
        let to = self.nodes[from as usize].neighbour[direction];
        let mut amount = self.nodes[from as usize].residual[direction];
        for start in [from, to] {
            let mut at = start;
            loop {
                let node = &self.nodes[at as usize];
                if node.parent == TERMINAL {
                    amount = amount.min(node.terminal.abs());
                    break;
                }
                let up = node.parent as usize;
                let parent = node.neighbour[up];
                amount = amount.min(self.outward(node.tree, parent, 7 - up));
                at = parent;
            }
        }
        self.shift(from, direction, amount);
        for start in [from, to] {
            let mut at = start;
            loop {
                let node = &mut self.nodes[at as usize];
                if node.parent == TERMINAL {
                    node.terminal -= node.terminal.signum() * amount;
                    if node.terminal == 0 {
                        self.orphan(at);
                    }
                    break;
                }
                let (tree, up) = (node.tree, node.parent as usize);
                let parent = node.neighbour[up];
                match tree {
                    Tree::Source => self.shift(parent, 7 - up, amount),
                    Tree::Sink => self.shift(at, up, amount),
                }
                if self.outward(tree, parent, 7 - up) == 0 {
                    self.orphan(at);
                }
                at = parent;
            }
        }
    }

    fn shift(&mut self, from: u32, direction: usize, amount: i32) {
        let node = &mut self.nodes[from as usize];
        node.residual[direction] -= amount;
        let to = node.neighbour[direction];
        self.nodes[to as usize].residual[7 - direction] += amount;
    }

    fn orphan(&mut self, node: u32) {
        self.nodes[node as usize].parent = ORPHAN;
        self.orphans.push_front(node);
    }

    /// Finds the orphan a parent in its tree, the nearest to the terminal, or sets it free.
    fn adopt(&mut self, orphan: u32) {
        let Node {
            tree, neighbour, ..
        } = self.nodes[orphan as usize];
        let mut best = None;
        let mut nearest = u32::MAX;
        for (direction, other) in neighbour.into_iter().enumerate() {
            if !self.may_feed(tree, other, direction) {
                continue;
            }
            let Some(distance) = self.distance_to_terminal(other) else {
                continue;
            };
            if distance < nearest {
                nearest = distance;
                best = Some(direction as u8);
            }
        }
        if let Some(parent) = best {
            let node = &mut self.nodes[orphan as usize];
            node.parent = parent;
            node.stamp = self.time;
            node.distance = nearest + 1;
            return;
        }
        self.nodes[orphan as usize].parent = FREE;
        for (direction, other) in neighbour.into_iter().enumerate() {
            if other == NOBODY {
                continue;
            }
            let o = &self.nodes[other as usize];
            if o.tree != tree || o.parent == FREE {
                continue;
            }
            let is_child = o.parent == 7 - direction as u8;
            if self.may_feed(tree, other, direction) {
                self.activate(other);
            }
            if is_child {
                self.nodes[other as usize].parent = ORPHAN;
                self.orphans.push_back(other);
            }
        }
    }

    /// Whether flow may come from (or go to) `other`, a neighbour in that direction.
    fn may_feed(&self, tree: Tree, other: u32, direction: usize) -> bool {
        other != NOBODY && {
            let o = &self.nodes[other as usize];
            o.tree == tree && o.parent != FREE && self.outward(tree, other, 7 - direction) > 0
        }
    }

    /// Steps to the terminal; `None` where the way leads to an orphan. Remembers what it found.
    fn distance_to_terminal(&mut self, start: u32) -> Option<u32> {
        let mut at = start;
        let mut steps = 0;
        let total = loop {
            let node = &mut self.nodes[at as usize];
            if node.stamp == self.time && node.parent != ORPHAN {
                break steps + node.distance;
            }
            match node.parent {
                TERMINAL => {
                    node.stamp = self.time;
                    node.distance = 1;
                    break steps + 1;
                }
                ORPHAN | FREE => return None,
                up => at = node.neighbour[up as usize],
            }
            steps += 1;
        };
        let mut left = total;
        at = start;
        loop {
            let node = &mut self.nodes[at as usize];
            if node.stamp == self.time {
                return Some(total);
            }
            node.stamp = self.time;
            node.distance = left;
            left -= 1;
            at = node.neighbour[node.parent as usize];
        }
    }
}

#[cfg(test)]
mod tests;
