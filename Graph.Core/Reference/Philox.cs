namespace Graphene;

/// <summary>Philox4x32-10 in plain integers, for the reference. Salmon et al., SC 2011, section 4 and table 2.</summary>
internal static class Philox
{
    /// <summary>The four words of one block.</summary>
    public static uint[] Block(ulong key, ulong counter)
    {
        uint[] x = [(uint)counter, (uint)(counter >> 32), 0, 0];
        uint key0 = (uint)key;
        uint key1 = (uint)(key >> 32);
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = 0xD2511F53UL * x[0];
            ulong product1 = 0xCD9E8D57UL * x[2];
            x = [(uint)(product1 >> 32) ^ x[1] ^ key0, (uint)product1, (uint)(product0 >> 32) ^ x[3] ^ key1, (uint)product0];
            key0 = unchecked(key0 + 0x9E3779B9);
            key1 = unchecked(key1 + 0xBB67AE85);
        }
        return x;
    }
}
