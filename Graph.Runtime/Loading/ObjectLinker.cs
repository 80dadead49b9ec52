namespace Graphene.Runtime;

/// <summary>Links objects into one image. Pure: it computes bytes for an address and touches no memory.</summary>
internal sealed class ObjectLinker
{
    private readonly ElfObject[] _objects;
    private readonly SymbolResolver _symbols;
    private readonly IRelocator _relocator;
    private readonly LinkageTables _tables;

    /// <param name="objects">At least one object; all for the same processor.</param>
    /// <param name="pageSize">A power of two.</param>
    /// <param name="windows">Whether the C library has the Windows calling convention.</param>
    /// <exception cref="ObjectLoadException">The objects do not fit together.</exception>
    public ObjectLinker(ElfObject[] objects, int pageSize, bool windows)
    {
        _objects = objects;
        Machine = objects[0].Machine;
        foreach (ElfObject other in objects)
        {
            if (other.Machine != Machine)
            {
                throw new ObjectLoadException(
                    other.Name,
                    $"it is for {ElfMachines.Name((ushort)other.Machine)}, others are for "
                    + ElfMachines.Name((ushort)Machine));
            }
        }

        _relocator = Machine == ElfMachine.X64 ? new X64Relocator(windows) : new Arm64Relocator();
        _symbols = new SymbolResolver(objects);
        _tables = new LinkageTables(objects, _symbols, _relocator);
        Layout = new ImageLayout(
            objects,
            (long)_tables.StubCount * LinkageTables.StubSize,
            (long)_tables.SlotCount * LinkageTables.AddressSize,
            pageSize);
    }

    public ElfMachine Machine { get; }

    public ImageLayout Layout { get; }

    /// <summary>Offsets in the image of the functions that are visible from outside.</summary>
    public FunctionTable Functions()
    {
        var functions = new FunctionTable(_symbols.Definitions.Count);
        for (int i = 0; i < _symbols.Definitions.Count; i++)
        {
            int objectIndex = _symbols.ObjectOf(i);
            ElfSymbol symbol = _objects[objectIndex].Symbols[_symbols.SymbolOf(i)];
            if (symbol is { IsFunction: true, Section: > 0 }
                && _objects[objectIndex].Sections[symbol.Section].Kind == SectionKind.Code)
            {
                functions.Add(_symbols.Definitions[i], Layout.OffsetOf(objectIndex, symbol.Section) + (long)symbol.Value);
            }
        }

        return functions;
    }

    /// <summary>The image's bytes for an address; everything after them is zero.</summary>
    /// <param name="baseAddress">Where the image will be; a multiple of the page size.</param>
    /// <param name="externalAddress">Address of a function of the C library; null for <see cref="ExternalFunctions.Resolve"/>.</param>
    /// <exception cref="ObjectLoadException">A target is out of reach, or a function is missing.</exception>
    public byte[] Link(ulong baseAddress, Func<string, nint>? externalAddress)
    {
        var image = new byte[Layout.BackedSize];
        CopySections(image);
        for (int i = 0; i < _tables.StubCount; i++)
        {
            var stub = new Span<byte>(image, (int)(Layout.StubOffset + (i * LinkageTables.StubSize)), LinkageTables.StubSize);
            string name = _symbols.ExternalNames[i];
            _relocator.WriteStub(stub, (ulong)(externalAddress is null ? ExternalFunctions.Resolve(name) : externalAddress(name)));
        }

        for (int slot = 0; slot < _tables.SlotCount; slot++)
        {
            StoredNumber.Write(new Span<byte>(image, (int)SlotOffset(slot), sizeof(ulong)), AddressOf(_tables.InSlot(slot), baseAddress));
        }

        for (int o = 0; o < _objects.Length; o++)
        {
            foreach (ElfRelocation relocation in _objects[o].Relocations)
            {
                Apply(image, baseAddress, o, relocation);
            }
        }

        return image;
    }

    private void CopySections(byte[] image)
    {
        for (int o = 0; o < _objects.Length; o++)
        {
            for (int s = 0; s < _objects[o].Sections.Length; s++)
            {
                // A section without contents has no bytes to copy, and its offset may be behind the image's end.
                ReadOnlySpan<byte> contents = _objects[o].Sections[s].Contents.Span;
                if (contents.Length > 0)
                {
                    contents.CopyTo(new Span<byte>(image, (int)Layout.OffsetOf(o, s), contents.Length));
                }
            }
        }
    }

    private void Apply(byte[] image, ulong baseAddress, int objectIndex, in ElfRelocation relocation)
    {
        ElfObject from = _objects[objectIndex];
        ElfSection section = from.Sections[relocation.Section];
        int width = _relocator.WidthOf(relocation.Type);
        if (relocation.Offset > section.Size - width)
        {
            throw new ObjectLoadException(from.Name, $"a relocation lies outside of section '{section.Name}'");
        }

        ResolvedSymbol symbol = _symbols.Resolve(objectIndex, relocation.Symbol);
        ulong target = _relocator.TargetOf(relocation.Type) == RelocationTarget.AddressTableEntry
            ? baseAddress + (ulong)SlotOffset(_tables.SlotOf(symbol))
            : AddressOf(symbol, baseAddress);
        long place = Layout.OffsetOf(objectIndex, relocation.Section) + relocation.Offset;
        bool reached = _relocator.TryApply(
            relocation.Type,
            new Span<byte>(image, (int)place, width),
            baseAddress + (ulong)place,
            unchecked(target + (ulong)relocation.Addend));
        if (!reached)
        {
            throw new ObjectLoadException(
                from.Name,
                $"a relocation of type {relocation.Type} in section '{section.Name}' does not reach its target");
        }
    }

    private ulong AddressOf(ResolvedSymbol symbol, ulong baseAddress) => symbol.Kind switch
    {
        ResolvedKind.Absolute => symbol.Value,
        ResolvedKind.External =>
            baseAddress + (ulong)Layout.StubOffset + (symbol.Value * LinkageTables.StubSize),
        _ => baseAddress + (ulong)Layout.OffsetOf(symbol.Object, symbol.Section) + symbol.Value,
    };

    private long SlotOffset(int slot) => Layout.AddressTableOffset + ((long)slot * LinkageTables.AddressSize);
}
