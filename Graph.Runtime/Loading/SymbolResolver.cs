namespace Graphene.Runtime;

/// <summary>What a symbol turned out to be.</summary>
/// <param name="Kind">Which of the other members count.</param>
/// <param name="Object">Index of the object that defines it.</param>
/// <param name="Section">Section of that object.</param>
/// <param name="Value">Offset in the section, absolute address, or index of the external function.</param>
internal sealed record ResolvedSymbol(ResolvedKind Kind, int Object, int Section, ulong Value)
{
    /// <inheritdoc/>
    /// <remarks>Written out, because comparers of enumerations are compiled in every process anew.</remarks>
    public bool Equals(ResolvedSymbol? other) =>
        other is not null && Kind == other.Kind && Object == other.Object && Section == other.Section && Value == other.Value;

    /// <inheritdoc/>
    public override int GetHashCode() => (((((int)Kind * 31) + Object) * 31) + Section) * 31 ^ Value.GetHashCode();
}

/// <summary>Where a symbol was found.</summary>
internal enum ResolvedKind
{
    Defined,
    Absolute,
    External,
}

/// <summary>A definition of a global name.</summary>
/// <param name="Object">Index of the object.</param>
/// <param name="Symbol">Index of the symbol in it.</param>
internal sealed record SymbolDefinition(int Object, int Symbol);

/// <summary>Finds what symbols mean across objects that are linked together.</summary>
internal sealed class SymbolResolver
{
    private readonly IReadOnlyList<ElfObject> _objects;
    private readonly Dictionary<string, SymbolDefinition> _definitions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _externals = new(StringComparer.Ordinal);
    private readonly List<string> _externalNames = [];

    /// <exception cref="ObjectLoadException">Two objects define the same name.</exception>
    public SymbolResolver(IReadOnlyList<ElfObject> objects)
    {
        _objects = objects;
        for (int o = 0; o < objects.Count; o++)
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
    public IReadOnlyList<string> ExternalNames => _externalNames;

    /// <summary>All global definitions.</summary>
    public IReadOnlyDictionary<string, SymbolDefinition> Definitions => _definitions;

    /// <exception cref="ObjectLoadException">Nothing defines the symbol, or its kind is not supported.</exception>
    public ResolvedSymbol Resolve(int objectIndex, int symbolIndex)
    {
        ElfObject from = _objects[objectIndex];
        ElfSymbol symbol = from.Symbols[symbolIndex];
        if (symbol.IsGlobal && _definitions.TryGetValue(symbol.Name, out var definition))
        {
            objectIndex = definition.Object;
            symbol = _objects[objectIndex].Symbols[definition.Symbol];
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
        if (!_definitions.TryGetValue(symbol.Name, out var other))
        {
            _definitions.Add(symbol.Name, new SymbolDefinition(objectIndex, symbolIndex));
            return;
        }

        bool otherIsWeak = _objects[other.Object].Symbols[other.Symbol].IsWeak;
        if (!symbol.IsWeak && !otherIsWeak)
        {
            throw new ObjectLoadException(
                _objects[objectIndex].Name, $"'{symbol.Name}' is also defined in '{_objects[other.Object].Name}'");
        }

        if (otherIsWeak && !symbol.IsWeak)
        {
            _definitions[symbol.Name] = new SymbolDefinition(objectIndex, symbolIndex);
        }
    }

    private int External(ElfObject from, string name)
    {
        if (_externals.TryGetValue(name, out int index))
        {
            return index;
        }

        if (!ExternalFunctions.IsAllowed(name))
        {
            throw new ObjectLoadException(
                from.Name, name.Length > 0 ? $"nothing defines '{name}'" : "a relocation refers to no symbol");
        }

        _externals.Add(name, _externalNames.Count);
        _externalNames.Add(name);
        return _externalNames.Count - 1;
    }
}
