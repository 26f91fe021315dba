//! Where the unwind tables of the program and its libraries are.

use framehop::{ExplicitModuleSectionInfo, Module};
use std::ops::Range;
use std::ptr;

/// A loaded module with a copy of its tables: a library may be unloaded at any
/// time.
pub(super) type Loaded = Module<Vec<u8>>;

/// Every loaded module that has unwind tables.
pub(super) fn loaded() -> Vec<Loaded> {
    let mut modules: Vec<Loaded> = Vec::new();
    // SAFETY: the callback gets the vector that it expects, and what the
    // loader shows it stays loaded until it returns.
    unsafe { libc::dl_iterate_phdr(Some(add_module), (&raw mut modules).cast()) };
    modules
}

unsafe extern "C" fn add_module(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    modules: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader passes a valid description.
    let info = unsafe { &*info };
    // SAFETY: `loaded` passes its vector, which nobody else uses meanwhile.
    let modules = unsafe { &mut *modules.cast::<Vec<Loaded>>() };
    if info.dlpi_phdr.is_null() {
        return 0;
    }
    let headers = ptr::slice_from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
    // SAFETY: not null, and the loader gives the number of headers with them.
    let headers = unsafe { &*headers };
    let base = info.dlpi_addr;
    let range = |header: &libc::Elf64_Phdr| header.p_vaddr..header.p_vaddr + header.p_memsz;
    let of_type = |kind| headers.iter().filter(move |header| header.p_type == kind);
    let Some(index) = of_type(libc::PT_GNU_EH_FRAME).map(range).next() else {
        return 0;
    };
    let loads = || of_type(libc::PT_LOAD);
    let Some(home) = loads().map(range).find(|it| it.contains(&index.start)) else {
        return 0;
    };
    let Some(first) = loads().map(|header| header.p_vaddr).min() else {
        return 0;
    };
    let end = loads()
        .map(|header| range(header).end)
        .max()
        .unwrap_or(first);
    let code = loads()
        .find(|header| header.p_flags & libc::PF_X != 0)
        .map(range);
    let bytes = |range: &Range<u64>| {
        let start = (base + range.start) as *const u8;
        let bytes = ptr::slice_from_raw_parts(start, (range.end - range.start) as usize);
        // SAFETY: part of a loaded segment, which nobody writes to.
        unsafe { &*bytes }.to_vec()
    };
    let index_bytes = bytes(&index);
    let Some(table) = table_of(&index, &index_bytes).filter(|start| home.contains(start)) else {
        return 0;
    };
    // Its length is nowhere told; the index leads to its entries.
    let table = table..home.end;
    let sections = ExplicitModuleSectionInfo {
        base_svma: 0,
        text_svma: code,
        eh_frame_svma: Some(table.clone()),
        eh_frame: Some(bytes(&table)),
        eh_frame_hdr_svma: Some(index),
        eh_frame_hdr: Some(index_bytes),
        ..ExplicitModuleSectionInfo::default()
    };
    let addresses = base + first..base + end;
    modules.push(Module::new(String::new(), addresses, base, sections));
    0
}

/// Where the table lies to which this index belongs: the header of the index
/// says so, as a rule relative to itself.
fn table_of(index: &Range<u64>, bytes: &[u8]) -> Option<u64> {
    /// `DW_EH_PE_pcrel | DW_EH_PE_sdata4`
    const RELATIVE: u8 = 0x1b;
    let (version, encoding) = (*bytes.first()?, *bytes.get(1)?);
    if version != 1 || encoding != RELATIVE {
        return None;
    }
    let offset = i32::from_ne_bytes(bytes.get(4..8)?.try_into().ok()?);
    (index.start + 4).checked_add_signed(i64::from(offset))
}
