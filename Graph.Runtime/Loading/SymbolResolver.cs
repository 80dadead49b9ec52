namespace Graphene.Runtime;

/// <summary>What a symbol turned out to be.</summary>
/// <param name="kind">Which of the other members count.</param>
/// <param name="object">Index of the object that defines it.</param>
/// <param name="section">Section of that object.</param>
/// <param name="value">Offset in the section, absolute address, or index of the external function.</param>
internal sealed class ResolvedSymbol(ResolvedKind kind, int @object, int section, ulong value)
{
    public ResolvedKind Kind => kind;

    public int Object => @object;

    public int Section => section;

    public ulong Value => value;

    /// <summary>Whether both are the same place.</summary>
    public bool Is(ResolvedSymbol other) =>
        kind == other.Kind && @object == other.Object && section == other.Section && value == other.Value;

    /// <summary>A number that is equal for equal ones.</summary>
    public int Hash => (((((int)kind * 31) + @object) * 31) + section) * 31 ^ value.GetHashCode();
}

/// <summary>Where a symbol was found.</summary>
internal enum ResolvedKind
{
    Defined,
    Absolute,
    External,
}

/// <summary>Finds what symbols mean across objects that are linked together.</summary>
internal sealed class SymbolResolver
{
    private readonly ElfObject[] _objects;
    private readonly int[] _definedIn; // by the numbers of the names: the object
    private readonly int[] _definedAs; // and the number of the symbol in it

    /// <exception cref="ObjectLoadException">Two objects define the same name.</exception>
    public SymbolResolver(ElfObject[] objects)
    {
        _objects = objects;
        int most = 0;
        foreach (ElfObject each in objects)
        {
            most += each.Symbols.Length;
        }
        _definedIn = new int[most];
        _definedAs = new int[most];
        for (int o = 0; o < objects.Length; o++)
        {
            for (int s = 1; s < objects[o].Symbols.Length; s++)
            {
                ElfSymbol symbol = objects[o].Symbols[s];
                if (symbol.IsGlobal && symbol.Section != ElfSymbol.Undefined)
                {
                    Define(o, s, symbol);
                }
            }
        }
    }

    /// <summary>Names of the functions outside of the objects that were asked for so far.</summary>
    public NameTable ExternalNames { get; } = new();

    /// <summary>The names of all global definitions.</summary>
    public NameTable Definitions { get; } = new();

    /// <summary>The object that defines a name.</summary>
    /// <param name="definition">The number of the name.</param>
    public int ObjectOf(int definition) => _definedIn[definition];

    /// <summary>The number of the symbol in that object.</summary>
    /// <param name="definition">The number of the name.</param>
    public int SymbolOf(int definition) => _definedAs[definition];

    /// <exception cref="ObjectLoadException">Nothing defines the symbol, or its kind is not supported.</exception>
    public ResolvedSymbol Resolve(int objectIndex, int symbolIndex)
    {
        ElfObject from = _objects[objectIndex];
        ElfSymbol symbol = from.Symbols[symbolIndex];
        if (symbol.IsGlobal && Definitions.Find(symbol.Name) is >= 0 and var definition)
        {
            objectIndex = _definedIn[definition];
            symbol = _objects[objectIndex].Symbols[_definedAs[definition]];
        }

        switch (symbol.Section)
        {
            case ElfSymbol.Unsupported:
                throw new ObjectLoadException(
                    from.Name, $"symbol '{symbol.Name}' is thread-local, common or of another kind without support");
            case ElfSymbol.Absolute:
                return new ResolvedSymbol(ResolvedKind.Absolute, 0, 0, symbol.Value);
            case ElfSymbol.Undefined:
                return new ResolvedSymbol(ResolvedKind.External, 0, 0, (ulong)External(from, symbol.Name));
        }

        ElfSection section = _objects[objectIndex].Sections[symbol.Section];
        return section.Kind == SectionKind.Ignored
            ? throw new ObjectLoadException(
                from.Name, $"code refers to section '{section.Name}', which is not loaded")
            : new ResolvedSymbol(ResolvedKind.Defined, objectIndex, symbol.Section, symbol.Value);
    }

    private void Define(int objectIndex, int symbolIndex, ElfSymbol symbol)
    {
        int number = Definitions.Find(symbol.Name);
        if (number < 0)
        {
            number = Definitions.Add(symbol.Name);
            (_definedIn[number], _definedAs[number]) = (objectIndex, symbolIndex);
            return;
        }

        int other = _definedIn[number];
        bool otherIsWeak = _objects[other].Symbols[_definedAs[number]].IsWeak;
        if (!symbol.IsWeak && !otherIsWeak)
        {
            throw new ObjectLoadException(
                _objects[objectIndex].Name, $"'{symbol.Name}' is also defined in '{_objects[other].Name}'");
        }

        if (otherIsWeak && !symbol.IsWeak)
        {
            (_definedIn[number], _definedAs[number]) = (objectIndex, symbolIndex);
        }
    }

    private int External(ElfObject from, string name)
    {
        int number = ExternalNames.Find(name);
        if (number >= 0)
        {
            return number;
        }

        return ExternalFunctions.IsAllowed(name)
            ? ExternalNames.Add(name)
            : throw new ObjectLoadException(
                from.Name, name.Length > 0 ? $"nothing defines '{name}'" : "a relocation refers to no symbol");
    }
}
