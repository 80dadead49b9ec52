namespace Graphene.Codegen.Aot;

/// <summary>Moves constants that are added to addresses into the accesses, where they cost nothing.</summary>
/// <remarks>
/// <code>
/// i32.const 112; i32.add; v128.load offset=0    =>    v128.load offset=112
/// </code>
/// LLVM does that where it knows that the sum does not wrap, which its strength reduction forgets: in the loops that matter, half of all
/// instructions were such sums. An access adds its offset without wrapping, so the two differ where base plus constant pass 2^32: then the
/// address that was meant is less than the constant. Nothing that code accesses lies below <see cref="LowestAddress"/>, so no larger
/// constant is moved, and none that is moved makes a difference.
/// </remarks>
internal sealed class WasmOffsetFolding
{
    /// <summary>Memory below is never accessed.</summary>
    public const int LowestAddress = 64 * 1024;

    private readonly WasmReader _in;
    private readonly WasmWriter _out = new();
    private readonly List<WasmInstruction> _kept = [];

    private WasmOffsetFolding(byte[] section) => _in = new WasmReader(section, 0);

    /// <summary>Rewrites a code section.</summary>
    public static byte[] Run(byte[] section) => new WasmOffsetFolding(section).Rewrite();

    private byte[] Rewrite()
    {
        uint functions = _in.Unsigned();
        _out.Unsigned(functions);
        for (uint i = 0; i < functions; i++)
        {
            uint size = _in.Unsigned();
            int end = _in.Position + (int)size;
            int start = _in.Position;
            for (uint groups = _in.Unsigned(); groups > 0; groups--)
            {
                _in.Unsigned();
                _in.Byte(); // a type of locals
            }
            byte[] locals = _in.Since(start);
            byte[] body = Body(end);
            _out.Unsigned((uint)(locals.Length + body.Length));
            _out.Bytes(locals);
            _out.Bytes(body);
        }
        return _out.ToArray();
    }

    private byte[] Body(int end)
    {
        _kept.Clear();
        while (_in.Position < end)
        {
            WasmInstruction next = WasmInstruction.Read(_in);
            if (next.IsLoad)
            {
                next = Fold(next, _kept.Count);
            }
            else if (next.IsStore && _kept.Count > 0 && _kept[^1].IsLocalGet)
            {
                next = Fold(next, _kept.Count - 1);
            }
            _kept.Add(next);
        }
        var body = new WasmWriter();
        _kept.ForEach(i => i.Write(body));
        return body.ToArray();
    }

    // The two instructions that end at a place are the sum that is the access's address.
    private WasmInstruction Fold(WasmInstruction access, int place)
    {
        if (place < 2 || !_kept[place - 1].IsAdd || _kept[place - 2].Constant is not { } constant
            || constant < 0 || constant + access.Offset > LowestAddress)
        {
            return access;
        }
        _kept.RemoveRange(place - 2, 2);
        return access with { Offset = (uint)(access.Offset + constant) };
    }
}
