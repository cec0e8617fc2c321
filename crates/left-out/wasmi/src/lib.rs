//! What Typst asks of wasmi, and nothing behind it: no module can be loaded, and so nothing else can ever be called. Letters
//! use no plug-ins, and the interpreter would be a twentieth of the program (decision 41).

use std::fmt;
use std::marker::PhantomData;

/// What cannot exist.
#[derive(Debug, Clone, Copy)]
enum Never {}

/// Why nothing is loaded.
#[derive(Debug)]
pub struct Error;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this program has no interpreter for WebAssembly")
    }
}

impl std::error::Error for Error {}

/// Settings of an engine.
#[derive(Debug, Default)]
pub struct Config;

impl Config {
    /// Changes nothing.
    pub fn wasm_relaxed_simd(&mut self, _: bool) -> &mut Self {
        self
    }
}

/// An engine that runs nothing.
#[derive(Debug)]
pub struct Engine;

impl Engine {
    /// One of them.
    #[must_use]
    pub fn new(_: &Config) -> Self {
        Self
    }
}

/// A loaded module: there is none.
#[derive(Debug)]
pub struct Module(Never);

impl Module {
    /// Refuses whatever it is given.
    ///
    /// # Errors
    /// Always.
    pub fn new(_: &Engine, _: &[u8]) -> Result<Self, Error> {
        Err(Error)
    }

    /// An export by its name.
    #[must_use]
    pub fn get_export(&self, _: &str) -> Option<ExternType> {
        match self.0 {}
    }

    /// All exports.
    pub fn exports(&self) -> impl Iterator<Item = ExportType<'_>> {
        let never = self.0;
        std::iter::from_fn(move || match never {})
    }
}

/// The kind of an export.
#[derive(Debug)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A memory.
    Memory(MemoryType),
}

/// The kind of a memory.
#[derive(Debug)]
pub struct MemoryType(#[allow(dead_code, reason = "it cannot exist")] Never);

/// The signature of a function.
#[derive(Debug)]
pub struct FuncType(Never);

impl FuncType {
    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &[ValType] {
        match self.0 {}
    }

    /// Its results.
    #[must_use]
    pub fn results(&self) -> &[ValType] {
        match self.0 {}
    }
}

/// An export with its name.
#[derive(Debug)]
pub struct ExportType<'module>(Never, PhantomData<&'module Module>);

impl ExportType<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.0 {}
    }

    /// Its kind.
    #[must_use]
    pub fn ty(&self) -> &ExternType {
        match self.0 {}
    }
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValType {
    /// A 32-bit integer.
    I32,
}

/// A value.
#[derive(Debug)]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
}

/// What a module is bound to.
#[derive(Debug)]
pub struct Linker<T> {
    engine: Engine,
    data: PhantomData<fn() -> T>,
}

impl<T> Linker<T> {
    /// An empty one.
    #[must_use]
    pub fn new(_: &Engine) -> Self {
        Self { engine: Engine, data: PhantomData }
    }

    /// Its engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes a function of the host, which nothing will call.
    ///
    /// # Errors
    /// None.
    pub fn func_wrap<F>(&mut self, _: &str, _: &str, _: F) -> Result<&mut Self, Error> {
        Ok(self)
    }

    /// Starts a module.
    ///
    /// # Errors
    /// None: there is no module.
    pub fn instantiate_and_start(&self, _: &mut Store<T>, module: &Module) -> Result<Instance, Error> {
        match module.0 {}
    }
}

/// The data of a running module.
#[derive(Debug)]
pub struct Store<T>(T);

impl<T> Store<T> {
    /// One with this data.
    pub fn new(_: &Engine, data: T) -> Self {
        Self(data)
    }

    /// The data.
    pub fn data_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// A running module.
#[derive(Debug)]
pub struct Instance(Never);

impl Instance {
    /// An export by its name.
    #[must_use]
    pub fn get_export<T>(&self, _: &Store<T>, _: &str) -> Option<Extern> {
        match self.0 {}
    }
}

/// An export of a running module.
#[derive(Debug)]
pub struct Extern(Never);

impl Extern {
    /// As a function.
    #[must_use]
    pub fn into_func(self) -> Option<Func> {
        match self.0 {}
    }

    /// As a memory.
    #[must_use]
    pub fn into_memory(self) -> Option<Memory> {
        match self.0 {}
    }
}

/// A function of a running module.
#[derive(Debug)]
pub struct Func(Never);

impl Func {
    /// Its signature.
    #[must_use]
    pub fn ty<T>(&self, _: &Store<T>) -> FuncType {
        match self.0 {}
    }

    /// Calls it.
    ///
    /// # Errors
    /// None: there is no function.
    pub fn call<T>(&self, _: &mut Store<T>, _: &[Val], _: &mut [Val]) -> Result<(), Error> {
        match self.0 {}
    }
}

/// The memory of a running module.
#[derive(Debug, Clone, Copy)]
pub struct Memory(Never);

impl Memory {
    /// In pages.
    pub fn size<S>(&self, _: &S) -> u64 {
        match self.0 {}
    }

    /// All of it.
    pub fn data<'store, S>(&self, _: &'store S) -> &'store [u8] {
        match self.0 {}
    }

    /// All of it.
    pub fn data_mut<'store, S>(&self, _: &'store mut S) -> &'store mut [u8] {
        match self.0 {}
    }

    /// Adds pages.
    ///
    /// # Errors
    /// None: there is no memory.
    pub fn grow<S>(&self, _: &mut S, _: u64) -> Result<u64, Error> {
        match self.0 {}
    }

    /// Reads some of it.
    ///
    /// # Errors
    /// None: there is no memory.
    pub fn read<S>(&self, _: &S, _: usize, _: &mut [u8]) -> Result<(), Error> {
        match self.0 {}
    }

    /// Writes some of it.
    ///
    /// # Errors
    /// None: there is no memory.
    pub fn write<S>(&self, _: &mut S, _: usize, _: &[u8]) -> Result<(), Error> {
        match self.0 {}
    }
}

/// A running module that calls the host.
#[derive(Debug)]
pub struct Caller<'module, T>(Never, PhantomData<&'module mut T>);

impl<T> Caller<'_, T> {
    /// An export by its name.
    #[must_use]
    pub fn get_export(&self, _: &str) -> Option<Extern> {
        match self.0 {}
    }

    /// The data.
    pub fn data_mut(&mut self) -> &mut T {
        match self.0 {}
    }
}
